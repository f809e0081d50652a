import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Decision, decide } from "./decide.ts";
import type { Facts } from "./facts.ts";
import { ALLOW_REASONS, DENY_REASONS } from "./reasons.ts";

interface Vector {
  readonly name: string;
  readonly facts: Facts;
  readonly expect: Decision;
}

const FACT_KEYS = "environment,plan,product,rule,source,switches";
const PAGE = readFileSync(new URL("../../../docs/consent.md", import.meta.url), "utf8");
/** The regular expression that docs/consent.md gives for use in scripts. */
const LINE = new RegExp(/^ {4}(\^.*\$)$/m.exec(PAGE)?.[1] ?? "the page has none");

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL("../vectors.json", import.meta.url), "utf8"),
);

test.each(vectors)("$name", ({ facts, expect: expected }) => {
  expect(decide(facts)).toEqual(expected);
});

test("every vector has a unique name, and there are more than 250", () => {
  const names = vectors.map(({ name }) => name);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  expect(names.length).toBeGreaterThan(250);
});

test("the reasons that occur are exactly the declared ones", () => {
  const occurring = new Set(vectors.map(({ expect: { reason } }) => reason));
  const declared = [...Object.keys(DENY_REASONS), ...Object.keys(ALLOW_REASONS)];
  expect([...occurring].sort()).toEqual(declared.sort());
});

test("every vector contains all required facts, with values that an environment can hold", () => {
  const faulty = vectors.filter(({ facts }) => {
    const { policy: _, receipts: __, signals: ___, allowed: ____, ...others } = facts;
    const values = Object.values(facts.environment);
    return (
      Object.keys(others).sort().join() !== FACT_KEYS || values.some((value) => /[\n\0]/.test(value ?? "\0"))
    );
  });
  expect(faulty.map(({ name }) => name)).toEqual([]);
});

test("the page's regular expression and a last line break are enough to recognise malformed receipts", () => {
  const disagreeing = vectors.filter(({ facts: { receipts }, expect: { reason } }) => {
    if (typeof receipts !== "string" || receipts === "") return false;
    const lines = receipts.split("\n");
    const isWhole = lines.pop() === "" && lines.every((line) => LINE.test(line));
    return isWhole === (reason === "receipt_unreadable");
  });
  expect(disagreeing.map(({ name }) => name)).toEqual([]);
});

test("the page lists exactly the reasons with their sentences, in the order of the decision", () => {
  const rows = [...PAGE.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, reason, sentence]) => [
    reason,
    sentence,
  ]);
  expect(rows).toEqual([...Object.entries(DENY_REASONS), ...Object.entries(ALLOW_REASONS)]);
});
