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
])("counts %s as one or as two", (_what, first, second, areOne) => {
  const limits = createInstanceLimits({ peer: once, total: many, maxPeers: 10, clockMs: () => 0 });
  limits.take(first);
  const takeSecond = (): void => limits.take(second);
  if (areOne) expect(takeSecond).toThrow(expect.objectContaining({ code: "too_many_requests" }));
  else takeSecond();
});
