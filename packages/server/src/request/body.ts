/** Owns how the collector reads bodies beside others: it holds so much at once, and lets others in between. */
import { createRequestReader, type RequestReader } from "@candor/envelope/http";
import { LinkedList } from "@candor/envelope/linked-list";
import { CandorError } from "../errors.ts";

const MAX_HELD_BYTES = 64 * 1024 * 1024;
const COARSE_MS = 1000;

/** @throws CandorError of WIRE_ERRORS, and `overloaded` */
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
 * Lets one caller at a time go on, one in each turn of the event loop. Thirty large bodies that arrive together would
 * otherwise be read in one go, and the disk would idle meanwhile, and then this thread while the disk flushes all.
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

/** Timers that may fire a second late. They share one system timer, because nearly all of them are cancelled at once. */
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
