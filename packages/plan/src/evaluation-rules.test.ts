import { describe, expect, it } from "vitest";
import { type Edit, editExample } from "./example-plan.ts";
import { loadPlan } from "./load.ts";
import { factsOf, heartbeatOf, usageEventsOf } from "./plan.ts";
import { PlanError } from "./plan-error.ts";
import { hashPlan } from "./plan-hash.ts";

function faultsOf(...edits: readonly Edit[]): string[] {
  try {
    loadPlan(editExample(...edits), "plan.yaml");
    return [];
  } catch (error) {
    if (error instanceof PlanError) return error.faults.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
}

const OS: Edit[0] = "        enum: [debian, ubuntu, other]\n";
const MEMORY: Edit[0] = "        buckets: [0, 512, 1024, 4096]\n";
const EMAIL: Edit[0] = "        format: email\n";
const PATH: Edit[0] = "            format: url\n";
const ITEMS: Edit[0] = "        max_items: 3\n";
const HASH: Edit[0] = "        hash: true\n";
const CLICK: Edit[0] = "    source: [client]\n    since: 2\n";
const field = (name: string, more: string): string =>
  `      ${name}: { type: string, sensitivity: technical, description: A field., example: a, ${more} }\n`;
const BLOCK: Edit[0] = "    properties:\n      filters:\n";
const withFields = (...fields: readonly string[]): Edit => [
  BLOCK,
  `    properties:\n${fields.join("")}      filters:\n`,
];
const many = (count: number, more: string): string[] =>
  Array.from({ length: count }, (_, n) => field(`f${n}`, `enum: [a], ${more}`));

describe("the keys for reports", () => {
  it.each<[what: string, edit: Edit]>([
    ["an enum as fact", [OS, `${OS}        fact: true\n`]],
    ["buckets as fact", [MEMORY, `${MEMORY}        fact: true\n`]],
    ["an enum as dimension", [OS, `${OS}        dimension: true\n`]],
    ["a number as duration", [MEMORY, "        measure: duration\n"]],
    ["a short pattern as fact", withFields(field("a", "pattern: a, max_length: 64, fact: true"))],
    ["16 facts", withFields(...many(16, "fact: true"))],
    ["8 dimensions", withFields(...many(8, "dimension: true"))],
  ])("may be: %s", (_what, edit) => {
    expect(faultsOf(edit)).toEqual([]);
  });

  it.each<[what: string, edit: Edit, path: string, says: string]>([
    ["a fact of any text", withFields(field("a", "fact: true")), "a.fact", "Add an `enum`"],
    [
      "a fact of long texts",
      withFields(field("a", "pattern: a, max_length: 65, fact: true")),
      "a.fact",
      "`max_length` up to 64",
    ],
    ["a fact that is a number", [MEMORY, "        fact: true\n"], "freeMemoryMb.fact", "or `buckets`"],
    [
      "a dimension that is a list",
      [ITEMS, `${ITEMS}        dimension: true\n`],
      "filters.dimension",
      "few values",
    ],
    ["a fact of the context", [PATH, `${PATH}            fact: true\n`], "path.fact", "own `properties`"],
    [
      "a trait as dimension",
      [HASH, `${HASH}        dimension: true\n`],
      "account.dimension",
      "own `properties`",
    ],
    ["a contact as fact", [EMAIL, `${EMAIL}        fact: true\n`], "email.fact", "nothing to count by"],
    [
      "a fact of what people do",
      withFields(field("a", "enum: [a], fact: true").replace("technical", "interaction")),
      "a.fact",
      "write `dimension`",
    ],
    [
      "a fact that is a dimension too",
      withFields(field("a", "enum: [a], fact: true, dimension: true")),
      "a.dimension",
      "Remove `dimension`, or `fact`",
    ],
    ["success that is text", [OS, `${OS}        measure: success\n`], "os.measure", "Write `type: boolean`"],
    [
      "duration that is text",
      [OS, `${OS}        measure: duration\n`],
      "os.measure",
      "Write `type: integer`",
    ],
    ["17 facts", withFields(...many(17, "fact: true")), "f16.fact", "at most 16"],
    ["9 dimensions", withFields(...many(9, "dimension: true")), "f8.dimension", "at most 8"],
    [
      "two durations",
      [
        MEMORY,
        `        measure: duration\n        sensitivity: technical\n        description: Free memory, rounded down.\n        example: 1024\n      took:\n        type: integer\n        measure: duration\n`,
      ],
      "took.measure",
      "by one field",
    ],
    ["a heartbeat of a browser", [CLICK, `${CLICK}    heartbeat: true\n`], "heartbeat", "`source: [server]`"],
  ])("may not be: %s", (_what, edit, path, says) => {
    const faults = faultsOf(edit);
    expect(
      faults.some((fault) => fault.includes(path) && fault.includes(says)),
      faults.join("\n"),
    ).toBe(true);
  });

  it("change nothing that is collected, so consents stay good", () => {
    const plain = loadPlan(editExample(), "plan.yaml");
    const marked = loadPlan(
      editExample([OS, `${OS}        fact: true\n`], [MEMORY, `${MEMORY}        dimension: true\n`]),
      "plan.yaml",
    );
    expect(hashPlan(marked)).toBe(hashPlan(plain));
  });

  it("are found in a plan: no heartbeat, no facts; what is not the installer's is use", () => {
    const plan = loadPlan(editExample(), "plan.yaml");
    expect([heartbeatOf(plan), factsOf(plan), usageEventsOf(plan).map(({ name }) => name)]).toEqual([
      undefined,
      [],
      ["SEARCH_CLICK", undefined],
    ]);
  });
});
