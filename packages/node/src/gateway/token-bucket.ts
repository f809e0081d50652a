/** How much may pass: so much a second, and a second's worth at once. */
export interface TokenBucket {
  /** Seconds until something may pass again; 0: now. */
  readonly waitS: () => number;
  /** Takes more than there is, too: a batch is taken whole or not at all, and what follows waits for it. */
  readonly take: (tokens: number) => void;
}

/** @param monotonicMs a clock that never jumps */
export function createTokenBucket(perSecond: number, monotonicMs: () => number): TokenBucket {
  let tokens = perSecond;
  let atMs = monotonicMs();
  const refill = (): void => {
    const nowMs = monotonicMs();
    tokens = Math.min(perSecond, tokens + ((nowMs - atMs) * perSecond) / 1000);
    atMs = nowMs;
  };
  return {
    waitS: () => {
      refill();
      return tokens >= 1 ? 0 : (1 - tokens) / perSecond;
    },
    take: (taken) => {
      refill();
      tokens -= taken;
    },
  };
}
