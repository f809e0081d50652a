import { expect, it } from "vitest";
import { createInstanceLimits } from "./instance-limits.ts";

const once = { burst: 1, everyMs: 1000 };
const many = { burst: 100, everyMs: 1000 };

it.each<[string, string | undefined, string | undefined, boolean]>([
  ["two addresses of a network", "203.0.113.7", "203.0.113.9", true],
  ["two networks", "203.0.113.7", "203.0.114.7", false],
  ["two names that a proxy gave clients", "_a", "_b", false],
  ["one name", "_a", "_a", true],
  ["clients of whom nothing is known", undefined, undefined, true],
  ["one of whom nothing is known, and an address", undefined, "203.0.113.7", false],
])("counts %s as one client or as two", (_what, first, second, areOne) => {
  const limits = createInstanceLimits({ network: once, all: many, clockMs: () => 0 });
  limits.take(first);
  const takeSecond = (): void => limits.take(second);
  if (areOne) expect(takeSecond).toThrow(expect.objectContaining({ code: "too_many_requests" }));
  else takeSecond();
});

it("limits all networks together, and does not count rejected requests", () => {
  let nowMs = 0;
  const limits = createInstanceLimits({
    network: { burst: 3, everyMs: 1000 },
    all: { burst: 5, everyMs: 10 },
    clockMs: () => nowMs,
  });
  /** Returns how many of ten requests are allowed. */
  const tenOf = (peer: string): number => {
    let taken = 0;
    for (let n = 0; n < 10; n++) {
      try {
        limits.take(peer);
        taken += 1;
      } catch {
        // The request is rejected.
      }
    }
    return taken;
  };
  expect(["203.0.113.7", "198.51.100.7", "192.0.2.7"].map(tenOf)).toEqual([3, 2, 0]);
  nowMs = 20;
  expect(tenOf("192.0.2.7")).toBe(2);
});
