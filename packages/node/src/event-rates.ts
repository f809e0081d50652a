/**
 * Limits how often one process records each of the server's events: a loop in the product must not flood the
 * collector.
 */
import { RateLimiter } from "@candor/envelope/rate-limiter";
import { eventKey, type Plan } from "@candor/plan/runtime";

const MINUTE_MS = 60_000;

/** The rates of a plan's events, by `eventKey`. An event has none if its `maxPerMinute` is 0. */
export type EventRates = ReadonlyMap<string, EventRate>;

/**
 * Creates the rates of the events that the plan declares for the server.
 * @param clockMs any monotonic clock
 */
export function createEventRates({ events }: Plan, clockMs: () => number): EventRates {
  return new Map(
    events
      .filter(({ sources, maxPerMinute }) => sources.includes("server") && maxPerMinute > 0)
      .map(({ type, name, maxPerMinute }) => [eventKey(type, name), new EventRate(maxPerMinute, clockMs)]),
  );
}

/** The rate of one event. */
export class EventRate {
  readonly #limiter: RateLimiter;
  #skipped = 0;

  constructor(maxPerMinute: number, clockMs: () => number) {
    this.#limiter = new RateLimiter({ burst: maxPerMinute, everyMs: MINUTE_MS / maxPerMinute, clockMs });
  }

  /** Whether one more message may be recorded. If not, it counts as skipped. */
  hasRoom(): boolean {
    if (this.#limiter.waitMs() === 0) return true;
    this.#skipped += 1;
    return false;
  }

  /** How many messages were skipped since the last recorded one; undefined if none. */
  get skipped(): number | undefined {
    return this.#skipped || undefined;
  }

  /** Notes that a message was recorded, which carried the number of skipped messages. */
  noteRecorded(): void {
    this.#limiter.take();
    this.#skipped = 0;
  }
}
