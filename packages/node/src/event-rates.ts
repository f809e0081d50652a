/** Owns how often each event of the server is recorded by one process: a loop in the product must not flood the collector. */
import { RateLimiter } from "@candor/envelope/rate-limiter";
import type { Plan } from "@candor/plan/runtime";
import type { Draft } from "./message.ts";

const MINUTE_MS = 60_000;

interface EventRate {
  readonly limiter: RateLimiter;
  /** Messages beyond the rate since the last one that was recorded. */
  skipped: number;
}

export class EventRates {
  readonly #rates: ReadonlyMap<string, EventRate>;

  /** @param clockMs any steady clock */
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
          return [keyOf(event), { limiter, skipped: 0 }];
        }),
    );
  }

  /** Whether there is room for one more of this event; if not, it counts as skipped. An event that is not declared has room. */
  hasRoom(draft: Draft): boolean {
    const rate = this.#rates.get(keyOf(draft));
    if (rate === undefined || rate.limiter.waitMs() === 0) return true;
    rate.skipped += 1;
    return false;
  }

  /** How many were skipped since the last recorded one; undefined: none. */
  skippedOf(draft: Draft): number | undefined {
    return this.#rates.get(keyOf(draft))?.skipped || undefined;
  }

  /** One was recorded, and told how many were skipped before it. */
  noteRecorded(draft: Draft): void {
    const rate = this.#rates.get(keyOf(draft));
    if (rate === undefined) return;
    rate.limiter.take();
    rate.skipped = 0;
  }
}

function keyOf({ type, name }: { readonly type: string; readonly name?: string | undefined }): string {
  return `${type} ${name}`;
}
