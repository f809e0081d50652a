/**
 * Reads the body of a request or an answer in bounded memory, however small its chunks are. It has no
 * dependencies, because SDKs use it.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import { LinkedList, type Place } from "./linked-list.ts";

/** A body may consist of this many chunks of any size. */
const FREE_CHUNKS = 1000;
/** The minimum average size of further chunks, because each chunk takes more time than its bytes do. */
const MIN_CHUNK_BYTES = 64;
const SMALLEST_BUFFER_BYTES = 4096;
/**
 * At least `MIN_WINDOW_BYTES` must arrive in each window of this length, and the whole body within
 * `MAX_WINDOWS`.
 */
const WINDOW_MS = 5000;
const MIN_WINDOW_BYTES = 2048;
const MAX_WINDOWS = 4;

/**
 * Why a body could not be read. `fragmented`: it arrived in too many small chunks. `broken_off`: the
 * connection was lost.
 */
export type BodyFault = "too_large" | "over_budget" | "fragmented" | "too_slow" | "broken_off";

/** A request or response of node:http. */
export type BodyStream = Readable & { readonly headers: IncomingHttpHeaders };

/** Limits the memory that the buffers of all bodies that are being read use together. */
export interface BodyBudget {
  heldBytes: number;
  readonly maxBytes: number;
  /**
   * One callback for each body of which a chunk has arrived, which gives up that body. The body that has been
   * idle longest is first.
   */
  readonly giveUp: LinkedList<() => void>;
}

export function createBodyBudget(maxBytes: number): BodyBudget {
  return { heldBytes: 0, maxBytes, giveUp: new LinkedList() };
}

/**
 * Reserves more bytes. Gives up other bodies, the longest idle first, until there is room.
 * @returns false, with nothing reserved, if there is no room
 */
export function holdMore(budget: BodyBudget, bytes: number): boolean {
  for (const { item: giveUp } of budget.giveUp) {
    if (budget.heldBytes + bytes <= budget.maxBytes) break;
    giveUp();
  }
  if (budget.heldBytes + bytes > budget.maxBytes) return false;
  budget.heldBytes += bytes;
  return true;
}

export interface ReadBodyOptions {
  readonly maxBytes: number;
  /**
   * The budget shared by all bodies that are read at the same time. Default: this body has its own budget.
   */
  readonly budget?: BodyBudget;
  /** Schedules a task. @returns a cancel function. Default: no time limit. */
  readonly later?: (afterMs: number, task: () => void) => () => void;
}

/**
 * Reads a body of at most `maxBytes` into one buffer. Never rejects. When the budget is exhausted, the body
 * that has been idle longest ends as `over_budget`, so that a stalled sender does not block others. After
 * `too_large` and `over_budget`, the rest is read and discarded, so that the sender can receive the answer.
 * After `fragmented` and `too_slow`, nothing more is read, and the connection should be closed.
 */
export function readBody(message: BodyStream, options: ReadBodyOptions): Promise<Buffer | BodyFault> {
  const announcedBytes = Number(message.headers["content-length"] ?? options.maxBytes);
  const { budget = createBodyBudget(Number.POSITIVE_INFINITY), maxBytes } = options;
  const gathered = createGatherer(budget, maxBytes, Math.min(maxBytes, announcedBytes));
  return new Promise((resolve) => {
    let place: Place<() => void> | undefined;
    const leave = (): void => {
      if (place !== undefined) budget.giveUp.remove(place);
      place = undefined;
    };
    const settle = (result: Buffer | BodyFault): void => {
      cancel();
      message.off("data", onData).off("end", onEnd).off("close", onGone);
      leave();
      gathered.release();
      if (result === "fragmented" || result === "too_slow") message.pause();
      else if (typeof result === "string") message.resume();
      resolve(result);
    };
    const giveUp = (): void => settle("over_budget");
    const onData = (chunk: Buffer): void => {
      leave();
      const fault = gathered.add(chunk);
      if (fault !== undefined) settle(fault);
      else place = budget.giveUp.push(giveUp); // at the end of the queue
    };
    const onEnd = (): void => settle(gathered.bytes());
    const onGone = (): void => settle("broken_off");
    const cancel = watchRate(gathered.size, options.later, () => settle("too_slow"));
    message
      .on("data", onData)
      .on("end", onEnd)
      .on("close", onGone)
      .on("error", () => {}); // "close" follows "error"
    if (announcedBytes > maxBytes) settle("too_large");
    else if (message.destroyed) onGone();
  });
}

interface Gatherer {
  add(chunk: Buffer): BodyFault | undefined;
  /** The number of bytes received so far. */
  size(): number;
  bytes(): Buffer;
  /** Returns the reserved bytes to the budget. */
  release(): void;
}

/**
 * Collects the chunks of a body. Keeps the first chunk without copying it, because most bodies have only one
 * chunk. Later chunks are copied into one buffer.
 */
function createGatherer(budget: BodyBudget, maxBytes: number, mostBytes: number): Gatherer {
  let buffer: Buffer = Buffer.alloc(0);
  let size = 0;
  let chunks = 0;
  let heldBytes = 0;
  const hold = (bytes: number): boolean => {
    const hasRoom = holdMore(budget, bytes - heldBytes);
    if (hasRoom) heldBytes = bytes;
    return hasRoom;
  };
  return {
    add: (chunk) => {
      const before = size;
      chunks += 1;
      size += chunk.length;
      if (size > maxBytes) return "too_large";
      if (chunks > FREE_CHUNKS + size / MIN_CHUNK_BYTES) return "fragmented";
      if (before === 0) {
        buffer = chunk;
        return hold(chunk.buffer.byteLength) ? undefined : "over_budget"; // a slice retains its buffer
      }
      if (chunks === 2 || size > buffer.length) {
        const doubled = Math.max(size, 2 * before, SMALLEST_BUFFER_BYTES);
        const capacity = Math.max(size, Math.min(doubled, mostBytes));
        if (!hold(capacity)) return "over_budget";
        const larger = Buffer.allocUnsafeSlow(capacity);
        buffer.copy(larger, 0, 0, before);
        buffer = larger;
      }
      chunk.copy(buffer, before);
      return undefined;
    },
    size: () => size,
    bytes: () => buffer.subarray(0, size),
    release: () => {
      budget.heldBytes -= heldBytes;
      heldBytes = 0;
    },
  };
}

/**
 * Calls `onSlow` if a window brings too few bytes, or if the body is not complete after `MAX_WINDOWS`.
 * @returns a cancel function
 */
function watchRate(size: () => number, later: ReadBodyOptions["later"], onSlow: () => void): () => void {
  if (later === undefined) return () => {};
  let windows = 0;
  let before = 0;
  const check = (): void => {
    windows += 1;
    if (windows === MAX_WINDOWS || size() - before < MIN_WINDOW_BYTES) onSlow();
    else {
      before = size();
      cancel = later(WINDOW_MS, check);
    }
  };
  let cancel = later(WINDOW_MS, check);
  return () => cancel();
}
