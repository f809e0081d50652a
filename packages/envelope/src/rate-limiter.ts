/** Limits how often something may be done: a token bucket per key. */

/** Up to `burst` at once, then one more every `everyMs`. */
export interface Rate {
  readonly burst: number;
  readonly everyMs: number;
}

export interface RateLimiterOptions extends Rate {
  /** How many keys are remembered; beyond that, the least recently used key is forgotten. Default: 1. */
  readonly maxKeys?: number;
  /** The longest anyone has to wait for what they took beyond the burst. Default: unlimited. */
  readonly maxDebtMs?: number;
  /** Any monotonic clock. */
  readonly clockMs?: () => number;
}

/**
 * Limits a rate per key. Asking is free; only `take` counts. Stores one number per key: the time at which its bucket
 * will be full again (the generic cell rate algorithm).
 */
export class RateLimiter {
  readonly #options: Required<RateLimiterOptions>;
  readonly #fullAtMs = new Map<string, number>();

  constructor(options: RateLimiterOptions) {
    const { maxKeys = 1, maxDebtMs = Number.POSITIVE_INFINITY, clockMs = () => performance.now() } = options;
    this.#options = { ...options, maxKeys, maxDebtMs, clockMs };
  }

  /** Milliseconds until so many may be taken; 0: now; Infinity: never, it is more than the burst. */
  waitMs(key = "", count = 1): number {
    const { burst, everyMs, clockMs } = this.#options;
    if (count > burst) return Number.POSITIVE_INFINITY;
    const nowMs = clockMs();
    return Math.max(0, this.#fullAt(key, nowMs) - nowMs - (burst - count) * everyMs);
  }

  /** Takes so many, even when there are fewer: the debt is waited for before more may be taken. */
  take(key = "", count = 1): void {
    const { burst, everyMs, maxKeys, maxDebtMs, clockMs } = this.#options;
    const nowMs = clockMs();
    const fullAtMs = this.#fullAt(key, nowMs) + count * everyMs;
    if (maxKeys > 1) this.#fullAtMs.delete(key); // so that the map is in the order of taking
    this.#fullAtMs.set(key, Math.min(fullAtMs, nowMs + burst * everyMs + maxDebtMs));
    const [oldest] = this.#fullAtMs.size > maxKeys ? this.#fullAtMs.keys() : [];
    if (oldest !== undefined) this.#fullAtMs.delete(oldest);
  }

  #fullAt(key: string, nowMs: number): number {
    return Math.max(this.#fullAtMs.get(key) ?? nowMs, nowMs);
  }
}
