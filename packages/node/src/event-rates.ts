/**
 * Limits how often one process records each of the server's events: a loop in the product must not flood the
 * collector.
 */
import { RateLimiter } from "@candor/envelope/rate-limiter";
import { eventKey, type Plan } from "@candor/plan/runtime";
import type { Draft } from "./message.ts";

const MINUTE_MS = 60_000;

interface EventRate {
  readonly limiter: RateLimiter;
  /** The number of messages skipped since the last recorded one. */
  skipped: number;
}

export class EventRates {
  readonly #rates: ReadonlyMap<string, EventRate>;

  /** @param clockMs any monotonic clock */
  constructor({ events }: Plan, clockMs: () => number) {
    this.#rates = new Map(
      events
        .filter(({ sources, maxPerMinute }) => sources.includes("server") && maxPerMinute > 0)
        .map((event) => {
          const { maxPerMinute } = event;
          const limiter = new RateLimiter({
            burst: maxPerMinute,
            everyMs: MINUTE_MS / maxPerMinute,
            clockMs,
          });
          return [eventKey(event.type, event.name), { limiter, skipped: 0 }];
        }),
    );
  }

  /**
   * Whether one more message of this event may be recorded. If not, it counts as skipped. An event has no
   * limit if its `maxPerMinute` is 0, or if the plan does not declare it for the server.
   */
  hasRoom(draft: Draft): boolean {
    const rate = this.#rates.get(eventKey(draft.type, draft.name));
    if (rate === undefined || rate.limiter.waitMs() === 0) return true;
    rate.skipped += 1;
    return false;
  }

  /** How many messages of this event were skipped since the last recorded one; undefined if none. */
  skippedOf(draft: Draft): number | undefined {
    return this.#rates.get(eventKey(draft.type, draft.name))?.skipped || undefined;
  }

  /**
   * Notes that a message of this event was recorded. It carried the number of skipped messages, so the count
   * starts again at 0.
   */
  noteRecorded(draft: Draft): void {
    const rate = this.#rates.get(eventKey(draft.type, draft.name));
    if (rate === undefined) return;
    rate.limiter.take();
    rate.skipped = 0;
  }
}
