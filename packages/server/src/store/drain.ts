import { setTimeout as sleep } from "node:timers/promises";
import { CandorError, causeOf } from "../errors.ts";
import type { Log, SealedSegment } from "../log/log.ts";
import type { Meters } from "../meters.ts";
import { rowFaultOf, type Store } from "./client.ts";
import type { SetAside } from "./set-aside.ts";

/** A row waits at most this long before its block is closed. */
const LINGER_MS = 500;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5000;

export interface DrainOptions {
  readonly log: Log;
  readonly store: Store;
  readonly setAside: SetAside;
  readonly meters: Pick<Meters, "countDrained" | "countInsertRetry" | "countSetAside">;
  /** Called before the first insert, again and again until it resolves: brings the schema up. */
  readonly prepare: () => Promise<void>;
  /** Told when `prepare` rejects with a CandorError: what no further try can mend. */
  readonly onFatal: (error: CandorError) => void;
  /** Told once when the store goes away, with the cause, and once when it is back (undefined). */
  readonly onStoreChange: (cause: string | undefined) => void;
  readonly lingerMs?: number;
}

export interface Drain {
  /** True when the last insert was taken, or none was needed yet. */
  isUp(): boolean;
  /** Goes on until the log is empty or `deadlineMs` has passed; what is left waits for the next start. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * Moves the log into the store, segment by segment, each exactly once: a segment never changes, it is inserted under
 * its own name as token however often that takes, and it is deleted only after the store's acknowledgement.
 */
export function startDrain(options: DrainOptions): Drain {
  const stopping = new AbortController();
  const state = { isUp: true, isPrepared: false, stopping: stopping.signal };
  const done = run(options, state);
  return {
    isUp: () => state.isUp,
    close: async (deadlineMs) => {
      const closing = options.log.close();
      const timer = setTimeout(() => stopping.abort(), deadlineMs);
      await closing;
      await done;
      clearTimeout(timer);
    },
  };
}

interface DrainState {
  isUp: boolean;
  isPrepared: boolean;
  readonly stopping: AbortSignal;
}

async function run(options: DrainOptions, state: DrainState): Promise<void> {
  const { log, lingerMs = LINGER_MS } = options;
  for (;;) {
    const segment = await log.nextSealed(lingerMs);
    if (segment === undefined || state.stopping.aborted) return;
    if (await persist(() => drainSegment(segment, options, state), options, state))
      await persistRemoval(segment, options, state);
    else return;
  }
}

async function persistRemoval(
  segment: SealedSegment,
  options: DrainOptions,
  state: DrainState,
): Promise<void> {
  await persist(() => options.log.remove(segment), options, state);
  options.setAside.forgetRanges(segment.name);
  options.meters.countDrained(segment.rows, 1);
}

/** Tries until it works (true) or the drain is stopped (false), ever more slowly. */
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

async function drainSegment(segment: SealedSegment, options: DrainOptions, state: DrainState): Promise<void> {
  if (!state.isPrepared) await prepare(options, state);
  const { lines } = await segment.read();
  const insert = (part: Buffer, token: string): Promise<void> =>
    options.store.insertLines(part, token, state.stopping);
  const rejected = new Set(options.setAside.rejectedRanges(segment.name));
  if (rejected.size === 0) {
    try {
      return await insert(lines, segment.name);
    } catch (error) {
      if (rowFaultOf(error) === undefined) throw error;
    }
  }
  await takeApart({ segment, lines: splitLines(lines), rejected, insert, options });
}

async function prepare(options: DrainOptions, state: DrainState): Promise<void> {
  const stopped = new Promise<never>((_, reject) => {
    state.stopping.addEventListener("abort", () => reject(state.stopping.reason), { once: true });
  });
  try {
    await Promise.race([options.prepare(), stopped]);
    state.isPrepared = true;
  } catch (error) {
    if (error instanceof CandorError) options.onFatal(error);
    throw error;
  }
}

interface Bisection {
  readonly segment: SealedSegment;
  readonly lines: readonly Buffer[];
  readonly rejected: Set<string>;
  readonly insert: (part: Buffer, token: string) => Promise<void>;
  readonly options: DrainOptions;
}

/**
 * Halves a rejected block until the bad rows stand alone. Each range goes in under a token of its own, and one that
 * was rejected is noted on disk before its halves are tried: after a crash the same halves come under the same tokens.
 */
async function takeApart(bisection: Bisection): Promise<void> {
  const { lines } = bisection;
  const ranges: [from: number, to: number][] = [[0, lines.length]];
  for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
    const [from, to] = range;
    const fault = await rangeFault(bisection, from, to);
    if (fault === undefined) continue;
    const middle = Math.floor((from + to) / 2);
    if (to - from === 1) setRowAside(bisection, from, fault);
    else ranges.push([middle, to], [from, middle]);
  }
}

/** Inserts a range; the store's name for the fault when it rejects it, or has rejected it before. */
async function rangeFault(
  { segment, lines, rejected, insert, options }: Bisection,
  from: number,
  to: number,
): Promise<string | undefined> {
  const range = `${from}-${to}`;
  const isRow = to - from === 1;
  if (rejected.has(range) && !isRow) return "rejected before";
  try {
    await insert(Buffer.concat(lines.slice(from, to)), `${segment.name}:${range}`);
    return undefined;
  } catch (error) {
    const fault = rowFaultOf(error);
    if (fault === undefined) throw error;
    if (!isRow) options.setAside.addRejectedRange(segment.name, range);
    rejected.add(range);
    return fault;
  }
}

function setRowAside({ segment, lines, options }: Bisection, row: number, fault: string): void {
  const line = lines[row]?.toString("utf8").replace(/\n$/, "") ?? "";
  options.setAside.add({ setAsideAt: new Date().toISOString(), id: `${segment.name}-${row}`, fault, line });
  options.meters.countSetAside(1);
}

function splitLines(lines: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let from = 0; from < lines.length; ) {
    const end = lines.indexOf("\n", from) + 1 || lines.length;
    parts.push(lines.subarray(from, end));
    from = end;
  }
  return parts;
}
