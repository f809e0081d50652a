import type { DifferenceKind, PlanDifference } from "@candor/plan";
import { expect, test } from "vitest";
import { createColours } from "../terminal.ts";
import { renderDifferences } from "./diff.ts";

const KINDS = [
  "other",
  "less",
  "consent_weaker",
  "kept_longer",
  "more_sensitive",
  "newly_collected",
] as const;

function differ(kind: DifferenceKind, where = "plan"): PlanDifference {
  return { kind, where, text: `It is ${kind}.`, since: undefined, needsNewVersion: true };
}

test("differences are grouped, and what matters most to people comes first", () => {
  const differences = [...KINDS.map((kind) => differ(kind)), differ("kept_longer", "source \u001b[2Jx")];
  expect(renderDifferences(differences, createColours(false))).toBe(`Newly collected
  plan: It is newly_collected.

More sensitive
  plan: It is more_sensitive.

Kept longer
  plan: It is kept_longer.
  source \\u{1b}[2Jx: It is kept_longer.

Consent weaker
  plan: It is consent_weaker.

Less
  plan: It is less.

Other
  plan: It is other.
`);
});

test("no difference gives no text", () => {
  expect(renderDifferences([], createColours(true))).toBe("");
});
