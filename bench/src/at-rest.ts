/** Tells when a collector has done everything that its load asked for: the log drained, the engine's merges idle. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Collector } from "./collector.ts";
import { engineClient } from "./engine-client.ts";
import { cpuMs } from "./processes.ts";
import { readDrainState } from "./read-api.ts";

export type Rest = {
  /** False when it was still at work as the time was over. */
  readonly isAtRest: boolean;
  /** CPU time since each process started, up to the moment from which it was quiet. */
  readonly serverCpuMs: number;
  readonly engineCpuMs: number;
};

const POLL_EVERY_MS = 1000;
const QUIET_POLLS = 3;
/** Of one core, collector and engine together. An idle pair takes some 1%. */
const QUIET_SHARE = 0.03;

/** Asks the collector and the engine only when both are quiet, because each answer is CPU time that the load did not cause. */
export async function untilAtRest(collector: Collector, withinMs: number): Promise<Rest> {
  const giveUpAt = performance.now() + withinMs;
  let quietFrom = readCpu(collector);
  for (let quietPolls = 0; performance.now() < giveUpAt; ) {
    const startAt = performance.now();
    const before = readCpu(collector);
    await sleep(POLL_EVERY_MS);
    const share = (totalOf(readCpu(collector)) - totalOf(before)) / (performance.now() - startAt);
    if (share >= QUIET_SHARE) {
      quietPolls = 0;
      quietFrom = readCpu(collector);
    } else quietPolls++;
    if (quietPolls < QUIET_POLLS) continue;
    if (await hasNothingToDo(collector)) return { isAtRest: true, ...quietFrom };
    quietPolls = 0;
  }
  return { isAtRest: false, ...readCpu(collector) };
}

type Cpu = Pick<Rest, "serverCpuMs" | "engineCpuMs">;

/** CPU time since each process started. */
export function readCpu(collector: Collector): Cpu {
  const enginePid = collector.enginePid();
  return {
    serverCpuMs: collector.serverPids().reduce((sum, pid) => sum + cpuMs(pid), 0),
    engineCpuMs: enginePid === undefined ? 0 : cpuMs(enginePid),
  };
}

function totalOf({ serverCpuMs, engineCpuMs }: Cpu): number {
  return serverCpuMs + engineCpuMs;
}

async function hasNothingToDo(collector: Collector): Promise<boolean> {
  const { pending } = await readDrainState(collector);
  if (pending > 0) return false;
  const client = engineClient(collector);
  try {
    const query = "SELECT count() AS merges FROM system.merges";
    const result = await client.query({ query, format: "JSONEachRow" });
    const [row] = await result.json<{ merges: string | number }>();
    return Number(row?.merges) === 0;
  } finally {
    await client.close();
  }
}
