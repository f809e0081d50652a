/**
 * The benchmark's `drain` part: how much is acknowledged, how much reaches the store meanwhile, and how much
 * memory that takes.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Collector, writeKeys } from "./collector.ts";
import { type LoadResult, runLoad } from "./load-options.ts";
import { peakResidentBytes, residentBytes } from "./processes.ts";
import { type DrainState, readDrainState, untilDrained } from "./read-api.ts";

export type DrainOptions = {
  readonly durationMs: number;
  readonly warmupMs: number;
  readonly idPrefix: string;
};

export type DrainFigures = {
  readonly load: LoadResult;
  /** Rows per second that reached the store during the load. */
  readonly drainedPerSUnderLoad: number;
  /** Rows per second from the end of the load until the log is drained; NaN if nothing was left to drain. */
  readonly drainedPerSAfter: number;
  /** The time from the end of the load until no row waits in the log. */
  readonly drainedAfterMs: number;
  readonly memory: readonly MemoryFigures[];
};

export type MemoryFigures = {
  readonly when: string;
  readonly serverBytes: number;
  readonly engineBytes: number;
};

const DRAIN_WITHIN_MS = 600_000;
/** The time in which merges and garbage collection settle before memory is read. */
const SETTLE_MS = 3000;

/**
 * Sends batches as fast as the answers arrive. Measures acknowledgements, the rows stored during and after
 * the load, and memory.
 */
export async function measureDrain(collector: Collector, options: DrainOptions): Promise<DrainFigures> {
  const memory = [currentMemory(collector, "idle, after the start")];
  const loaded = runLoad({ url: collector.url, batchSize: 100, writeKey: writeKeys.server, ...options });
  await sleep(options.warmupMs);
  const [before, startAt] = [await readDrainState(collector), performance.now()];
  const load = await loaded;
  const [after, endAt] = [await readDrainState(collector), performance.now()];
  const drainedAfterMs = await untilDrained(collector, DRAIN_WITHIN_MS);
  const last = await readDrainState(collector);
  memory.push(peakMemory(collector, "peak, under load"));
  await sleep(SETTLE_MS);
  memory.push(currentMemory(collector, "after it was drained"));
  return {
    load,
    drainedPerSUnderLoad: drainRate(before, after, endAt - startAt),
    drainedPerSAfter: last.drained > after.drained ? drainRate(after, last, drainedAfterMs) : Number.NaN,
    drainedAfterMs,
    memory,
  };
}

/** The current resident memory of the engine, and of the collector's other processes together. */
export function currentMemory(collector: Collector, when: string): MemoryFigures {
  return memoryBy(collector, when, residentBytes);
}

function peakMemory(collector: Collector, when: string): MemoryFigures {
  return memoryBy(collector, when, peakResidentBytes);
}

function memoryBy(collector: Collector, when: string, read: (pid: number) => number): MemoryFigures {
  const enginePid = collector.enginePid();
  return {
    when,
    serverBytes: collector.serverPids().reduce((sum, pid) => sum + read(pid), 0),
    engineBytes: enginePid === undefined ? 0 : read(enginePid),
  };
}

function drainRate(from: DrainState, to: DrainState, passedMs: number): number {
  return ((to.drained - from.drained) * 1000) / passedMs;
}
