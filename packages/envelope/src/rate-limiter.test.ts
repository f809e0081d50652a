import { describe, expect, it } from "vitest";
import { RateLimiter, type RateLimiterOptions } from "./rate-limiter.ts";

function limiterAt(options: Partial<RateLimiterOptions> = {}) {
  let nowMs = 50;
  const limiter = new RateLimiter({ burst: 3, everyMs: 1000, maxKeys: 10, clockMs: () => nowMs, ...options });
  return {
    limiter,
    /** Returns how many of ten attempts are allowed. */
    tenOf: (key: string): number => {
      let taken = 0;
      for (let n = 0; n < 10; n++) {
        if (limiter.waitMs(key) > 0) continue;
        limiter.take(key);
        taken += 1;
      }
      return taken;
    },
    pass: (ms: number): void => {
      nowMs += ms;
    },
  };
}

describe("a rate limiter", () => {
  it("allows a burst, then one per interval, and never more than the burst at once", () => {
    const { tenOf, pass } = limiterAt();
    expect(tenOf("a")).toBe(3);
    pass(999);
    expect(tenOf("a")).toBe(0);
    pass(1);
    expect(tenOf("a")).toBe(1);
    pass(2000);
    expect(tenOf("a")).toBe(2);
    pass(1e9);
    expect(tenOf("a")).toBe(3);
  });

  it("returns how long to wait for one or several, and Infinity for more than the burst", () => {
    const { limiter, pass } = limiterAt();
    limiter.take("a", 2);
    expect([1, 2, 3, 4].map((count) => limiter.waitMs("a", count))).toEqual([0, 1000, 2000, Infinity]);
    pass(600);
    expect([1, 2, 3, 4].map((count) => limiter.waitMs("a", count))).toEqual([0, 400, 1400, Infinity]);
  });

  it("counts each key separately", () => {
    const { tenOf, pass } = limiterAt();
    expect([tenOf("a"), tenOf("b")]).toEqual([3, 3]);
    pass(1000);
    expect([tenOf("a"), tenOf("b")]).toEqual([1, 1]);
  });

  it("allows taking more than is available, which lengthens the wait", () => {
    const { limiter, pass } = limiterAt();
    limiter.take("a", 10);
    expect(limiter.waitMs("a")).toBe(8000);
    pass(8000);
    expect(limiter.waitMs("a")).toBe(0);
  });

  it("limits the debt to maxDebtMs", () => {
    const { limiter } = limiterAt({ maxDebtMs: 5000 });
    for (let n = 0; n < 3; n++) limiter.take("a", 100);
    expect(limiter.waitMs("a")).toBe(6000); // the time to repay the debt, and then for one more
  });

  it("remembers maxKeys keys, and forgets the least recently used one first", () => {
    const { tenOf, pass } = limiterAt({ maxKeys: 2 });
    expect([tenOf("a"), tenOf("b")]).toEqual([3, 3]);
    pass(1000);
    expect(tenOf("a")).toBe(1);
    expect(tenOf("c")).toBe(3);
    expect([tenOf("a"), tenOf("b")]).toEqual([0, 3]);
  });
});
