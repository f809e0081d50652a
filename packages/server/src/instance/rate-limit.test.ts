import { describe, expect, it } from "vitest";
import { createRateLimit } from "./rate-limit.ts";

const PEER = { burst: 3, everyMs: 1000 };
const TOTAL = { burst: 100, everyMs: 10 };

function limitAt(options: { total?: typeof TOTAL; maxPeers?: number } = {}) {
  let nowMs = 50;
  const take = createRateLimit({ peer: PEER, total: TOTAL, maxPeers: 10, ...options, clockMs: () => nowMs });
  return {
    /** How many of ten are let through. */
    tenOf: (peer: string) => Array.from({ length: 10 }, () => take(peer)).filter(Boolean).length,
    wait: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe("a rate limit", () => {
  it("lets a burst through, then one each interval, and never more than the burst at once", () => {
    const limit = limitAt();
    expect(limit.tenOf("a")).toBe(3);
    limit.wait(999);
    expect(limit.tenOf("a")).toBe(0);
    limit.wait(1);
    expect(limit.tenOf("a")).toBe(1);
    limit.wait(2000);
    expect(limit.tenOf("a")).toBe(2);
    limit.wait(1e9);
    expect(limit.tenOf("a")).toBe(3);
  });

  it("counts each peer for itself, and what it refuses for nothing", () => {
    const limit = limitAt();
    for (let n = 0; n < 5; n++) limit.tenOf("a");
    expect(limit.tenOf("b")).toBe(3);
    limit.wait(1000);
    expect([limit.tenOf("a"), limit.tenOf("b")]).toEqual([1, 1]);
  });

  it("bounds all peers together", () => {
    const limit = limitAt({ total: { burst: 5, everyMs: 10 } });
    expect([limit.tenOf("a"), limit.tenOf("b"), limit.tenOf("c")]).toEqual([3, 2, 0]);
    limit.wait(20);
    expect(limit.tenOf("c")).toBe(2);
  });

  it("remembers so many peers, and forgets first who asked the longest ago", () => {
    const limit = limitAt({ maxPeers: 2 });
    expect([limit.tenOf("a"), limit.tenOf("b")]).toEqual([3, 3]);
    limit.wait(1000);
    expect(limit.tenOf("a")).toBe(1);
    expect(limit.tenOf("c")).toBe(3);
    expect([limit.tenOf("a"), limit.tenOf("b")]).toEqual([0, 3]);
  });
});
