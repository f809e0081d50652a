/** Owns the measurement of event loop delay and CPU at a steady rate. */
import { setTimeout as sleep } from "node:timers/promises";
import { median } from "../latencies.ts";
import { startHost } from "./host.ts";
import type { Lane, Sink } from "./sink.ts";
import type { PaceAnswer, Subject } from "./task.ts";
import type { Workplace } from "./workplace.ts";

/** Delay and CPU time are those added to the same process without an SDK. */
export type PaceFigures = {
  readonly callsPerS: number;
  readonly addedDelayMs: PaceAnswer["delayMs"];
  /** Of one core, all threads. */
  readonly addedCpuShare: number;
  /** Share of all calls that reached the collector within 12 s of the last one. */
  readonly arrivedShare: number;
};

export type PaceRound = PaceAnswer & { readonly arrivedShare: number };
export type PaceOptions = { readonly roundMs: number; readonly warmupMs: number };

export const CALLS_PER_S = 5000;
/** Longer than the flush intervals of all four. */
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
 * Rounds of an SDK against those without one. A delay is that of the quietest round on either side: what else the machine does only
 * ever adds to it, and in one round more than an SDK does. The rest: medians, for CPU time those of each round's difference.
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
