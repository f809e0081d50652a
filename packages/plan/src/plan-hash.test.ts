import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Edit, EXAMPLE_PLAN, editExample } from "./example-plan.ts";
import { loadPlan } from "./load.ts";
import type { Plan } from "./plan.ts";
import { hashPlan } from "./plan-hash.ts";

function hashWith(...edits: readonly Edit[]): string {
  return hashPlan(loadPlan(editExample(...edits), "plan.yaml"));
}

const HASH = hashWith();
const [INSTALLER = "", CLIENT = ""] = EXAMPLE_PLAN.match(/ {2}(?:installer|client):\n(?: {4}.*\n)+/g) ?? [];
const [OS = "", MEMORY = ""] = EXAMPLE_PLAN.match(/ {6}(?:os|freeMemoryMb):\n(?: {8}.*\n)+/g) ?? [];
const [FAILED = "", SEARCH = ""] = EXAMPLE_PLAN.match(/ {2}- type: track\n(?: {4}.*\n)+/g) ?? [];

test("the hash is 64 characters of lower-case hex, the same for the same plan", () => {
  expect(HASH).toMatch(/^[0-9a-f]{64}$/);
  expect(hashWith()).toBe(HASH);
});

/**
 * Consent records on people's machines contain this hash. A different hash for the same plan would make all
 * of them stale.
 */
test("the hash of a plan does not change with Candor", () => {
  expect(HASH).toBe("98f62cb77028e18159fd4a30b689ac88f029bd6948f18f53f749acc8a7740f9c");
});

test("a plan that was written as JSON and read again has the same hash", () => {
  const appsmith = new URL("../../../plans/appsmith.yaml", import.meta.url);
  for (const text of [EXAMPLE_PLAN, readFileSync(appsmith, "utf8")]) {
    const plan = loadPlan(text, "plan.yaml");
    const read: Plan = JSON.parse(JSON.stringify(plan));
    expect(hashPlan(read)).toBe(hashPlan(plan));
  }
});

describe("the hash is the same", () => {
  test.each<[string, ...(readonly [from: string, to: string])[]]>([
    ["with sources in another order", [INSTALLER + CLIENT, CLIENT + INSTALLER]],
    ["with fields in another order", [OS + MEMORY, MEMORY + OS]],
    ["with events in another order", [FAILED + SEARCH, SEARCH + FAILED]],
    [
      "with keys in another order",
      ["    ip: country\n    user_agent: drop\n", "    user_agent: drop\n    ip: country\n"],
    ],
    ["with values in another order", ["[debian, ubuntu, other]", "[other, ubuntu, debian]"]],
    ["with values of a list in another order", ["[quick, vegan, cheap]", "[vegan, cheap, quick]"]],
    ["with the default rate written out", ["    since: 2\n", "    since: 2\n    max_per_minute: 1000\n"]],
    ["with defaults written out", ["    ip: country", "    mode: enforce\n    ip: country"]],
    [
      "with an event's rule that repeats its source's",
      ["  - type: identify\n", "  - type: identify\n    consent: opt-in\n"],
    ],
    [
      "with another product, contact and about",
      ["product: Kitchen", "product: Galley"],
      ["privacy@", "ask@"],
      ["Kitchen is", "It is"],
    ],
    ["with other promises", ["Recipes, names and pictures", "Recipes"]],
    ["with other steps to turn it off", ["and restart", "and start again"]],
    [
      "with other variables",
      ["KITCHEN_DISABLE_TELEMETRY", "KITCHEN_OFF"],
      ["KITCHEN_CLIENT_TELEMETRY", "KITCHEN_ASK"],
    ],
    [
      "with one variable more",
      ["disable: KITCHEN_DISABLE_TELEMETRY", "disable: [KITCHEN_DISABLE_TELEMETRY, KITCHEN_OFF]"],
    ],
    [
      "with another version and changelog",
      ["version: 2\nabout", "version: 3\nabout"],
      ["changelog:", "changelog:\n  - version: 3\n    date: 2026-06-06\n    text: Words."],
    ],
    [
      "with another `why`, `owner` and `review`",
      ["Shows for which", "Says for which"],
      ["installer team", "another team"],
      ["telemetry/1", "telemetry/3"],
    ],
    [
      "with other descriptions and examples",
      ["Typed by the person", "Given by the person"],
      ["example: debian", "example: ubuntu"],
    ],
    ["with another description of a source", ["Kitchen in the browser", "The browser"]],
    [
      "with a column",
      ["        example: [quick]", "        example: [quick]\n"],
      ["            column: true\n", ""],
    ],
  ])("%s", (_, ...edits) => {
    expect(hashWith(...edits)).toBe(HASH);
  });
});

const ANY_ID =
  "      groupId:\n        type: string\n        hash: true\n        sensitivity: technical\n        description: A group.\n        example: 70280e5d07e61e5e915e5d26ac8704bbd68d3f75ebad67ba439f4c354d7a1b2c\n";
const FIELD =
  "      cpus:\n        type: integer\n        sensitivity: technical\n        description: Processors.\n        example: 2\n";

/** Edits of the example plan. Each makes the plan collect something different from all other edits. */
const CHANGES: readonly (readonly [name: string, ...edits: (readonly [from: string, to: string])[]])[] = [
  ["one source less", [INSTALLER, ""], [FAILED, ""], ["contacts:\n  retention_days: 30\n", ""]],
  ["a source's consent", ["consent: notice", "consent: opt-in"]],
  ["a source's mode", ["    ip: country", "    mode: observe\n    ip: country"]],
  ["a source's addresses", ["ip: country", "ip: truncate"]],
  ["a source's user agents", ["user_agent: drop", "user_agent: family"]],
  ["how long events are kept", ["retention_days: 90", "retention_days: 91"]],
  ["how long contacts are kept", ["retention_days: 30", "retention_days: 31"]],
  ["a context field more", ["      page:\n", `${FIELD}      page:\n`]],
  ["a context field's form", ["            format: url\n", ""]],
  ["an id more", ["    ids:\n", `    ids:\n${ANY_ID}`]],
  ["an id's form", ["[0-9a-f]{12}", "[0-9a-f]{12}|none"]],
  ["an event less", [SEARCH, ""]],
  ["an event's name", ["SEARCH_CLICK", "SEARCH"]],
  ["an event's type", ["type: track\n    name: SEARCH_CLICK", "type: page\n    name: SEARCH_CLICK"]],
  ["an event's sources", ["source: [client]\n    since: 2", "source: [client, installer]\n    since: 2"]],
  ["an event's since", ["    since: 2", "    since: 1"]],
  ["an event's consent", ["name: SEARCH_CLICK\n", "name: SEARCH_CLICK\n    consent: notice\n"]],
  ["an event's end", ['expires: "2027-01-15"', 'expires: "2027-01-16"']],
  ["an event that ends no more", ['    expires: "2027-01-15"\n', ""]],
  ["how often an event is sent", ["    since: 2\n", "    since: 2\n    max_per_minute: 999\n"]],
  ["a field more", ["      email:\n", `${FIELD}      email:\n`]],
  ["a field less", [MEMORY, ""]],
  ["a field's since", ["        minimum: 0\n", "        minimum: 0\n        since: 2\n"]],
  ["a field's type", ["        type: integer\n", "        type: number\n"]],
  ["a field's least", ["        minimum: 0\n", ""]],
  ["a field's most", ["        minimum: 0\n", "        minimum: 0\n        maximum: 9999\n"]],
  ["a field's buckets", ["[0, 512, 1024, 4096]", "[0, 512, 1024]"]],
  ["a field's values", ["[debian, ubuntu, other]", "[debian, ubuntu, alpine, other]"]],
  ["a field's format", ["        format: email\n", ""], ["person@example.com", "person"]],
  [
    "a field's length",
    ["            format: url\n", "            format: url\n            max_length: 99\n"],
  ],
  [
    "a field's pattern",
    ["            format: url\n", '            format: url\n            pattern: "/[a-z]*"\n'],
  ],
  ["a field that is required no more", ["        required: true\n", ""]],
  ["a field's sensitivity", ["        sensitivity: technical\n", "        sensitivity: interaction\n"]],
  ["a hash", ["        hash: true\n", ""]],
  ["what is kept with a contact", ["        kept_with: [os]\n", ""]],
  ["a list's length", ["max_items: 3", "max_items: 4"]],
  ["a list's values", ["[quick, vegan, cheap]", "[quick, vegan]"]],
];

describe("the hash differs when what is collected changes:", () => {
  test.each(CHANGES.map(([name, ...edits]) => ({ name, edits })))("$name", ({ edits }) => {
    expect(hashWith(...edits)).not.toBe(HASH);
  });

  test("a different hash for each change", () => {
    expect(new Set(CHANGES.map(([, ...edits]) => hashWith(...edits))).size).toBe(CHANGES.length);
  });
});
