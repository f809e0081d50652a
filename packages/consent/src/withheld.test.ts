import { expect, test } from "vitest";
import type { Decision } from "./decide.ts";
import { isWithheld } from "./withheld.ts";

const consented: Decision = { allow: true, reason: "consented", coversVersion: 2 };

test.each([
  [1, consented, false],
  [2, consented, false],
  [3, consented, true],
  [Number.NaN, consented, true],
  [1, { allow: false, reason: "stored_no" }, true],
] as const)("a field since version %d, under %j, is withheld: %j", (since, decision, withheld) => {
  expect(isWithheld(since, decision)).toBe(withheld);
});
