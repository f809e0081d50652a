/** Measures the event loop delay and CPU time of an SDK at a steady rate of calls. */
import { setTimeout as sleep } from "node:timers/promises";
import { median } from "../latencies.ts";
import { startHost } from "./host.ts";
import type { Lane, Sink } from "./sink.ts";
import type { PaceAnswer, Subject } from "./task.ts";
import type { Workplace } from "./workplace.ts";

/**
 * Figures at a steady rate. The added delay and CPU time are in addition to those of the same process without
 * an SDK.
 */
export type PaceFigures = {
  readonly callsPerS: number;
  readonly addedDelayMs: PaceAnswer["delayMs"];
  /** CPU time of all threads, as a share of one core. */
  readonly addedCpuShare: number;
  /** The share of all calls that reached the collector within ARRIVE_WITHIN_MS after the last call. */
  readonly arrivedShare: number;
};

export type PaceRound = PaceAnswer & { readonly arrivedShare: number };
export type PaceOptions = { readonly roundMs: number; readonly warmupMs: number };

export const CALLS_PER_S = 5000;
/** Longer than the flush intervals of all four SDKs. */
export const ARRIVE_WITHIN_MS = 12_000;
const POLL_MS = 250;

export async function measurePace(
  subject: Subject,
  { roundMs, warmupMs }: PaceOptions,
  sink: Sink,
  workplace: Workplace,
): Promise<PaceRound> {
  const lane = await sink.lane();
  await lane.open();
  const host = startHost(subject, workplace.place(lane.host), {
    role: "pace",
    callsPerS: CALLS_PER_S,
    durationMs: roundMs,
    warmupMs,
  });
  try {
    const answer = await host.answer();
    return { ...answer, arrivedShare: subject === "none" ? 1 : await arrivedShare(lane, answer.calls) };
  } finally {
    await host.kill();
  }
}

/**
 * Compares the rounds of an SDK with the rounds without one. An added delay is the difference between the
 * lowest delay of the SDK's rounds and the lowest of the others, because other work of the machine only adds
 * delay, and can add more in one round than an SDK does. The other figures are medians. The added CPU time is
 * the median of the differences of all rounds.
 */
export function addedPace(rounds: readonly PaceRound[], without: readonly PaceRound[]): PaceFigures {
  const addedDelayMs = (which: keyof PaceAnswer["delayMs"]) => {
    const quietest = (each: readonly PaceRound[]) => Math.min(...each.map(({ delayMs }) => delayMs[which]));
    return quietest(rounds) - quietest(without);
  };
  const cpuShares = rounds.map(({ cpuShare }, index) => cpuShare - (without[index]?.cpuShare ?? Number.NaN));
  return {
    callsPerS: median(rounds.map(({ callsPerS }) => callsPerS)),
    addedDelayMs: { p50: addedDelayMs("p50"), p99: addedDelayMs("p99"), max: addedDelayMs("max") },
    addedCpuShare: median(cpuShares),
    arrivedShare: median(rounds.map(({ arrivedShare }) => arrivedShare)),
  };
}

async function arrivedShare(lane: Lane, calls: number): Promise<number> {
  const endAt = performance.now() + ARRIVE_WITHIN_MS;
  let arrived = 0;
  while (arrived < calls && performance.now() < endAt) {
    await sleep(POLL_MS);
    arrived = (await lane.tally()).distinct;
  }
  return arrived / calls;
}
