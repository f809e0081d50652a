/** Reads bodies within the collector's memory budget, one large body per turn of the event loop. */
import { createRequestReader, type RequestReader } from "@candor/envelope/http";
import { LinkedList } from "@candor/envelope/linked-list";
import { CandorError } from "../errors.ts";

const MAX_HELD_BYTES = 64 * 1024 * 1024;
const COARSE_MS = 1000;

/**
 * Reads a request's body.
 * @throws CandorError with a code of `WIRE_ERRORS`, or `overloaded`
 */
export type BodyReader = RequestReader["read"];

export function createBodyReader(): BodyReader {
  return createRequestReader({
    maxHeldBytes: MAX_HELD_BYTES,
    later: createCoarseTimers(),
    yieldToOthers: createYielding(),
    toError: (code, details) => new CandorError(code, details),
  }).read;
}

/**
 * Returns a function whose callers continue one per turn of the event loop. Otherwise, thirty large bodies
 * that arrive together would be read in one go: the disk would be idle meanwhile, and then this thread would
 * be idle while the disk flushes them.
 */
function createYielding(): () => Promise<void> {
  const waiting: (() => void)[] = [];
  const next = (): void => {
    waiting.shift()?.();
    if (waiting.length > 0) setImmediate(next);
  };
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 1) setImmediate(next);
    });
}

/**
 * Creates timers that may fire up to a second late. They share one system timer, because nearly all of them
 * are cancelled soon.
 */
function createCoarseTimers(): (afterMs: number, task: () => void) => () => void {
  const waiting = new LinkedList<{ readonly dueMs: number; readonly task: () => void }>();
  setInterval(() => {
    const nowMs = performance.now();
    for (const place of waiting) {
      if (place.item.dueMs > nowMs) continue;
      waiting.remove(place);
      place.item.task();
    }
  }, COARSE_MS).unref();
  return (afterMs, task) => {
    const place = waiting.push({ dueMs: performance.now() + afterMs, task });
    return () => waiting.remove(place);
  };
}
