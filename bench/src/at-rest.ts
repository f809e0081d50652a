/**
 * Reads a collector's CPU time, and detects when it has finished the work of a load: it is quiet, its log is
 * drained and no merge is running.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Collector } from "./collector.ts";
import { withEngine } from "./engine-client.ts";
import { cpuMs, threads } from "./processes.ts";
import { readDrainState } from "./read-api.ts";

/** CPU time since the processes started. */
export type Cpu = {
  readonly mainThreadMs: number;
  /** The thread that inserts blocks into the store. */
  readonly inserterMs: number;
  /** All other threads of the collector, such as libuv's pool and V8's helpers. */
  readonly otherThreadsMs: number;
  readonly engineMs: number;
};

export type Rest = {
  /** False if the collector was still working when the time was up. */
  readonly isAtRest: boolean;
  /** CPU time up to the moment when the collector became quiet; if it did not, until the time was up. */
  readonly cpu: Cpu;
};

const POLL_EVERY_MS = 1000;
const QUIET_POLLS = 3;
/** Below this share of one core, collector and engine together count as quiet. Idle, they use about 1%. */
const QUIET_SHARE = 0.03;

/** The processes that `untilQuiet` watches. */
export type Watched = {
  readCpu(): Cpu;
  /**
   * Called only when the processes are quiet, because the call costs CPU time that the load did not cause.
   */
  hasNothingToDo(): Promise<boolean>;
};

/** Resolves when collector and engine are quiet and have nothing left to do, or after `withinMs`. */
export function untilAtRest(collector: Collector, withinMs: number): Promise<Rest> {
  return untilQuiet(
    { readCpu: () => readCpu(collector), hasNothingToDo: () => hasNothingToDo(collector) },
    withinMs,
  );
}

/**
 * Resolves when QUIET_POLLS polls in a row were quiet and `hasNothingToDo` then resolves to true, or after
 * `withinMs`.
 */
export async function untilQuiet(
  watched: Watched,
  withinMs: number,
  pollEveryMs = POLL_EVERY_MS,
): Promise<Rest> {
  const giveUpAt = performance.now() + withinMs;
  let quietFrom = watched.readCpu();
  let last = quietFrom;
  for (let quietPolls = 0; performance.now() < giveUpAt; ) {
    const startAt = performance.now();
    await sleep(pollEveryMs);
    const now = watched.readCpu();
    const share = (totalMs(now) - totalMs(last)) / (performance.now() - startAt);
    last = now;
    if (share >= QUIET_SHARE) {
      quietPolls = 0;
      quietFrom = now;
    } else quietPolls++;
    if (quietPolls < QUIET_POLLS) continue;
    if (await watched.hasNothingToDo()) return { isAtRest: true, cpu: quietFrom };
    quietPolls = 0;
    last = watched.readCpu();
  }
  return { isAtRest: false, cpu: watched.readCpu() };
}

/** Reads the CPU time that the collector and its engine have used so far. */
export function readCpu(collector: Collector): Cpu {
  const all = threads(collector.pid);
  const main = all.find(({ isMain }) => isMain);
  // Only the inserter has a different niceness. Node 20 gives threads no names by which to find the inserter.
  const inserter = all.filter(({ niceness }) => niceness !== main?.niceness);
  const mainThreadMs = main?.cpuMs ?? 0;
  const inserterMs = inserter.reduce((sum, thread) => sum + thread.cpuMs, 0);
  const serverMs = collector.serverPids().reduce((sum, pid) => sum + cpuMs(pid), 0);
  const enginePid = collector.enginePid();
  return {
    mainThreadMs,
    inserterMs,
    otherThreadsMs: serverMs - mainThreadMs - inserterMs,
    engineMs: enginePid === undefined ? 0 : cpuMs(enginePid),
  };
}

function totalMs({ mainThreadMs, inserterMs, otherThreadsMs, engineMs }: Cpu): number {
  return mainThreadMs + inserterMs + otherThreadsMs + engineMs;
}

async function hasNothingToDo(collector: Collector): Promise<boolean> {
  const { pending } = await readDrainState(collector);
  if (pending > 0) return false;
  return withEngine(collector, async (client) => {
    const query = "SELECT count() AS merges FROM system.merges";
    const result = await client.query({ query, format: "JSONEachRow" });
    const [row] = await result.json<{ merges: string | number }>();
    return Number(row?.merges) === 0;
  });
}
