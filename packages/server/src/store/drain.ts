/** Moves segment files into the store. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Semaphore } from "@candor/envelope/concurrency";
import { CandorError, causeOf } from "../errors.ts";
import type { Log } from "../log/log.ts";
import type { ProductMeters } from "../meters.ts";
import type { Inserter } from "./inserter.ts";
import { toRestMs } from "./receiving-first.ts";

/**
 * How long a row waits at most before its segment file is sealed. While many rows arrive, the wait is four
 * times as long, for larger blocks.
 */
const LINGER_MS = 500;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5000;

/** The longest pause after a block, as a multiple of the time that inserting the block took. */
const MAX_REST = 4;
const MAX_RESTED_AGE_MS = 60_000;

/** Runs a task once no other task runs. Aborting the signal ends the wait. Rejects if too many tasks wait. */
export type Alone = <Result>(task: () => Promise<Result>, signal?: AbortSignal) => Promise<Result>;

/**
 * Number of tasks that may wait: more than the drain, a rebuild and a comparison of rollups need together.
 */
const MAX_WAITING = 4;

export function createAlone(): Alone {
  const semaphore = new Semaphore({ permits: 1, maxWaiting: MAX_WAITING });
  return (task, signal) =>
    semaphore.run(task, signal) ?? Promise.reject(new Error("too many tasks wait for the drain"));
}

export interface DrainOptions {
  readonly log: Log;
  readonly inserter: Inserter;
  /** Runs each insert, so that the drain pauses while another task runs. */
  readonly alone: Alone;
  readonly meters: Pick<ProductMeters, "countDrained" | "countInsertRetry" | "countQuarantined">;
  /** Prepares the store. Called before anything is drained, and again until it resolves. */
  readonly prepare: () => Promise<void>;
  /**
   * Called whenever `prepare` rejects with a CandorError, which no retry can fix: the drain has to be closed.
   */
  readonly onFatal: (error: CandorError) => void;
  /**
   * Called with the cause when an attempt to prepare the store or to insert fails for the first time or after
   * a success, and with undefined when one succeeds again.
   */
  readonly onStoreChange: (cause: string | undefined) => void;
  readonly lingerMs?: number;
  readonly now?: () => number;
}

export interface Drain {
  /** Whether the last attempt to prepare the store or to insert succeeded; true before the first attempt. */
  isUp(): boolean;
  /**
   * Closes the log, and drains until it is empty or `deadlineMs` has passed. The remaining rows wait for the
   * next start.
   */
  close(deadlineMs: number): Promise<void>;
}

/**
 * Moves the log into the store, one segment file after another, each row exactly once. A segment file never
 * changes, is inserted with its name as the token however often that is retried, and is deleted only after
 * the store has acknowledged its rows or they are quarantined.
 */
export function startDrain(options: DrainOptions): Drain {
  const stopping = new AbortController();
  const closing = new AbortController();
  const stopped = once(stopping.signal, "abort");
  const state = { isUp: true, closing: closing.signal, stopping: stopping.signal, stopped };
  const done = run(options, state);
  return {
    isUp: () => state.isUp,
    close: async (deadlineMs) => {
      const closed = options.log.close();
      closing.abort();
      const timer = setTimeout(() => {
        stopping.abort();
        options.inserter.abort();
      }, deadlineMs);
      await closed;
      await done;
      clearTimeout(timer);
    },
  };
}

interface DrainState {
  isUp: boolean;
  /** Aborted when the remaining rows are to be drained without pauses. */
  readonly closing: AbortSignal;
  /** Aborted when nothing more is to be drained. */
  readonly stopping: AbortSignal;
  /** Resolves when `stopping` is aborted. */
  readonly stopped: Promise<unknown>;
}

async function run(options: DrainOptions, state: DrainState): Promise<void> {
  const { log, lingerMs = LINGER_MS } = options;
  if (!(await persist(() => prepare(options, state), options, state))) return;
  for (;;) {
    const segment = await log.nextSealed(lingerMs);
    if (segment === undefined || state.stopping.aborted) return;
    const drainSegment = async (): Promise<void> => {
      const insert = () => options.inserter.insert(segment);
      const { rowsQuarantined } = await options.alone(insert, state.stopping);
      await log.remove(segment);
      options.inserter.forget(segment);
      options.meters.countDrained(segment.rows, 1);
      options.meters.countQuarantined(rowsQuarantined);
    };
    const startedMs = performance.now();
    const loadBefore = performance.eventLoopUtilization();
    if (!(await persist(drainSegment, options, state))) return;
    const { utilization } = performance.eventLoopUtilization(loadBefore);
    const pauseMs = toPauseMs(
      performance.now() - startedMs,
      utilization,
      (options.now ?? Date.now)() - segment.openedAtMs,
    );
    if (pauseMs > 0) await sleep(pauseMs, undefined, { signal: state.closing }).catch(() => {});
  }
}

/**
 * Returns how long the drain pauses after a block. Receiving messages has priority: inserting a block takes
 * as much CPU time as receiving its rows did, and rows can wait in the log. So if this process is busy more
 * than half of the time, the drain pauses, but it still gets at least a fifth of the time. Once a row has
 * waited for a minute, the drain no longer pauses.
 * @param utilization of this process's event loop during the insert, 0 to 1
 */
export function toPauseMs(insertMs: number, utilization: number, waitedMs: number): number {
  if (waitedMs > MAX_RESTED_AGE_MS) return 0;
  return toRestMs(insertMs, utilization, MAX_REST);
}

/** Retries `attempt` with growing pauses. Returns true once it succeeds, or false if the drain is stopped. */
async function persist(
  attempt: () => Promise<void>,
  options: DrainOptions,
  state: DrainState,
): Promise<boolean> {
  for (let waitMs = RETRY_MIN_MS; !state.stopping.aborted; waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)) {
    try {
      await attempt();
      if (!state.isUp) options.onStoreChange(undefined);
      state.isUp = true;
      return true;
    } catch (error) {
      if (state.stopping.aborted) return false;
      if (state.isUp) options.onStoreChange(causeOf(error));
      state.isUp = false;
      options.meters.countInsertRetry();
      await sleep(waitMs * (0.5 + Math.random() / 2), undefined, { signal: state.stopping }).catch(() => {});
    }
  }
  return false;
}

async function prepare(options: DrainOptions, state: DrainState): Promise<void> {
  try {
    await Promise.race([options.prepare(), state.stopped]);
    state.stopping.throwIfAborted();
  } catch (error) {
    if (error instanceof CandorError) options.onFatal(error);
    throw error;
  }
}
