/** Limits how often something may be done, with a token bucket per key. */

/** A rate: up to `burst` tokens at once, then one more every `everyMs`. */
export interface Rate {
  readonly burst: number;
  readonly everyMs: number;
}

export interface RateLimiterOptions extends Rate {
  /** How many keys are remembered. Beyond that, the least recently used key is forgotten. Default: 1. */
  readonly maxKeys?: number;
  /**
   * The longest time, in milliseconds, that repaying the debt from `take` may need. Further debt is
   * forgiven. Default: unlimited.
   */
  readonly maxDebtMs?: number;
  /** A monotonic clock, in milliseconds. Default: `performance.now()`. */
  readonly clockMs?: () => number;
}

/**
 * Limits a rate per key. `waitMs` takes nothing; only `take` does. Stores one number per key: the time at
 * which the key's bucket will be full again (the generic cell rate algorithm).
 */
export class RateLimiter {
  readonly #options: Required<RateLimiterOptions>;
  readonly #fullAtMs = new Map<string, number>();

  constructor(options: RateLimiterOptions) {
    const { maxKeys = 1, maxDebtMs = Number.POSITIVE_INFINITY, clockMs = () => performance.now() } = options;
    this.#options = { ...options, maxKeys, maxDebtMs, clockMs };
  }

  /**
   * Milliseconds until `count` tokens may be taken: 0 if they may be taken now, Infinity if `count` exceeds
   * the burst.
   */
  waitMs(key = "", count = 1): number {
    const { burst, everyMs, clockMs } = this.#options;
    if (count > burst) return Number.POSITIVE_INFINITY;
    const nowMs = clockMs();
    return Math.max(0, this.#fullAt(key, nowMs) - nowMs - (burst - count) * everyMs);
  }

  /**
   * Takes `count` tokens, even if fewer are available. The debt must then be repaid by waiting before more
   * may be taken.
   */
  take(key = "", count = 1): void {
    const { burst, everyMs, maxKeys, maxDebtMs, clockMs } = this.#options;
    const nowMs = clockMs();
    const fullAtMs = this.#fullAt(key, nowMs) + count * everyMs;
    if (maxKeys > 1) this.#fullAtMs.delete(key); // keeps the map ordered by the time of the last `take`
    this.#fullAtMs.set(key, Math.min(fullAtMs, nowMs + burst * everyMs + maxDebtMs));
    const [oldest] = this.#fullAtMs.size > maxKeys ? this.#fullAtMs.keys() : [];
    if (oldest !== undefined) this.#fullAtMs.delete(oldest);
  }

  #fullAt(key: string, nowMs: number): number {
    return Math.max(this.#fullAtMs.get(key) ?? nowMs, nowMs);
  }
}
