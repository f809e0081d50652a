import type { Envelope, JsonObject, JsonValue } from "@candor/envelope";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startStoreForTest, type TestStore } from "../rig/real-store.ts";
import { EVENT_TARGET, toLine } from "../row.ts";
import type { Store } from "../store/client.ts";
import { type Filters, matches, readFilters, toCondition } from "./filters.ts";

let real: TestStore;
let store: Store;

beforeAll(async () => {
  real = await startStoreForTest();
  ({ store } = real);
});
afterAll(() => real.close());
beforeEach(() => store.command("TRUNCATE TABLE events SYNC"));

const RECEIVED_AT = "2026-03-01T12:00:00.000Z";
const ABOUT = {
  source: "server",
  sequence: 0,
  country: undefined,
  planVersion: 1,
  sentPlanVersion: 0,
  skipped: 0,
  trimmed: [],
} as const;
const NO_FIELDS = {
  category: undefined,
  groupId: undefined,
  name: undefined,
  originalTimestamp: undefined,
  previousId: undefined,
  sentAt: undefined,
};
let token = 0;

function toEnvelope(messageId: string, more: Partial<Envelope>): Envelope {
  return {
    ...NO_FIELDS,
    anonymousId: undefined,
    context: {},
    event: "E",
    integrations: {},
    messageId,
    properties: undefined,
    receivedAt: RECEIVED_AT,
    timestamp: RECEIVED_AT,
    traits: undefined,
    type: "track",
    userId: undefined,
    ...more,
  };
}

async function insert(envelopes: readonly Envelope[]): Promise<void> {
  const lines = envelopes.map((envelope) => toLine(ABOUT, envelope, JSON.stringify(envelope)));
  await store.insertLines(EVENT_TARGET, Buffer.from(lines.join("")), `token-${token++}`);
}

const toFilters = (name: string, value: string): Filters =>
  readFilters(new URLSearchParams([[name, value]]), []);

const FILTERS_PER_QUERY = 25;

/** Returns the messageIds that the store finds for each filter, with few queries for many filters. */
async function findAll(filters: readonly Filters[]): Promise<string[][]> {
  const found: string[][] = [];
  for (let from = 0; from < filters.length; from += FILTERS_PER_QUERY) {
    const conditions = filters.slice(from, from + FILTERS_PER_QUERY).map(toCondition);
    const columns = conditions.map(({ sql }, n) => `groupArrayIf(messageId, ${sql}) AS f${n}`);
    const params = conditions.flatMap((condition, n) =>
      Object.entries(condition.params).map(([name, value]) => [`f${n}${name}`, value]),
    );
    const sql = columns.map((column, n) => column.replaceAll(/\{(p\d+:)/g, `{f${n}$1`)).join(", ");
    const [row = {}] = await store.query(`SELECT ${sql} FROM events`, Object.fromEntries(params));
    found.push(...conditions.map((_, n) => toTexts(row[`f${n}`])));
  }
  return found;
}

const toTexts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String).sort() : []);

/** Applies each filter in the store and in memory, and asserts that both find the same messageIds. */
async function ask(
  envelopes: readonly Envelope[],
  asked: readonly (readonly [name: string, value: string])[],
): Promise<string[][]> {
  const filters = asked.map(([name, value]) => toFilters(name, value));
  const stored = await findAll(filters);
  const live = filters.map((filter) =>
    envelopes
      .filter((envelope) => matches(filter, "server", envelope))
      .map(({ messageId }) => messageId)
      .sort(),
  );
  expect(asked.map((filter, n) => [filter, stored[n]])).toEqual(asked.map((filter, n) => [filter, live[n]]));
  return live;
}

const VALUES: readonly [id: string, value: JsonValue][] = [
  ["text", "8"],
  ["number", 8],
  ["huge", 1e21],
  ["true", true],
  ["true-text", "true"],
  ["null", null],
  ["empty", ""],
  ["separator", "\u2028"],
  ["object", { first: "PG", "0": "zero" }],
  ["list", ["PG", 8, null, ["deep"], { in: "object" }]],
  ["empty-list", []],
];

/** The ids that each filter finds if each of VALUES is stored as `properties.v` of its own event. */
const FOUND: Readonly<Record<string, readonly string[]>> = {
  "properties.v=8": ["list", "number", "text"],
  "properties.v=8.0": ["list", "number"],
  "properties.v=80e-1": ["list", "number"],
  "properties.v=08": [],
  "properties.v=1e%2B21": ["huge"],
  "properties.v=1e21": ["huge"],
  "properties.v=1000000000000000000000": ["huge"],
  "properties.v=1e999": [],
  "properties.v=true": ["true", "true-text"],
  "properties.v=false": [],
  "properties.v=null": ["list", "null"],
  "properties.v=": ["empty"],
  "properties.v=%E2%80%A8": ["separator"],
  "properties.v=PG": ["list"],
  "properties.v=deep": [],
  "properties.v=object": [],
  "properties.v.0=PG": ["list"],
  "properties.v.0=zero": ["object"],
  "properties.v.1=8": ["list"],
  "properties.v.3=deep": ["list"],
  "properties.v.3.0=deep": ["list"],
  "properties.v.4.in=object": ["list"],
  "properties.v.4.0=object": [],
  "properties.0=PG": [],
  "properties.missing=null": [],
};

describe("a filter by path", () => {
  it("compares values and not how they are written, and finds a list by its elements and positions", async () => {
    const envelopes = VALUES.map(([id, v]) => toEnvelope(id, { properties: { v } }));
    await insert(envelopes);
    const asked = Object.keys(FOUND).flatMap((query) => [...new URLSearchParams(query)]);
    const found = await ask(envelopes, asked);
    expect(Object.keys(FOUND).map((query, n) => [query, found[n]])).toEqual(Object.entries(FOUND));
  });

  it("finds the same messages in the store and in the live feed, for any values and paths", async () => {
    const property = fc.asyncProperty(
      fc.array(envelopeParts, { minLength: 60, maxLength: 60 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { minLength: 100, maxLength: 100 }),
      fc.array(fc.tuple(anyPath, anyText), { minLength: 40, maxLength: 40 }),
      async (parts, picks, others) => {
        const envelopes = parts.map((part, n) => toEnvelope(`m${n}`, part));
        await store.command("TRUNCATE TABLE events SYNC");
        await insert(envelopes);
        const told = picks.map((pick) => aimAt(parts, pick));
        const live = await ask(envelopes, [...told, ...others]);
        expect(live.filter((ids) => ids.length > 0).length).toBeGreaterThan(35); // not only empty results
      },
    );
    await fc.assert(property, { numRuns: 1, endOnFailure: true });
  });
});

const KEYS = [
  "a",
  "b",
  "a.b",
  "0",
  "1",
  "first",
  "",
  "é",
  "__proto__",
  "\u2028",
  "t\tb",
  "n\nl",
  "\u0000",
  "\\",
  "'",
  "01",
];
const anyKey = fc.oneof(fc.constantFrom(...KEYS), fc.string({ unit: "grapheme", maxLength: 4 }));
const TEXTS = [
  "",
  "8",
  "8.0",
  "-0",
  "true",
  "null",
  "1e+21",
  "1e21",
  "[]",
  "{}",
  '"8"',
  "\u2028",
  "\u0000",
  "\\N",
  "'",
  "PG",
];
const anyText = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: "grapheme", maxLength: 6 }));
/**
 * Numbers whose JSON the store can read. Integers beyond 64 bits are excluded, because no envelope contains
 * them.
 */
const anyNumber = fc
  .oneof(
    fc.constantFrom(
      8,
      0,
      1e21,
      1e300,
      5e-324,
      0.1,
      0.1 + 0.2,
      2 ** 53,
      2 ** 53 + 2,
      -(2 ** 63),
      1e-7,
      1.5e300,
    ),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
  )
  .filter((value) => !/^-?\d{19,}$/.test(JSON.stringify(value)) || Math.abs(value) <= 2 ** 63 - 1024);
const anyScalar: fc.Arbitrary<JsonValue> = fc.oneof(anyText, anyNumber, fc.boolean(), fc.constant(null));
const { value: anyValue } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    anyScalar,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(anyKey, tie("value"), { maxKeys: 4 }),
  ),
}));
const anyObject: fc.Arbitrary<JsonObject> = fc.dictionary(anyKey, anyValue, { maxKeys: 6 });
const envelopeParts = fc.record({
  properties: anyObject,
  traits: fc.option(anyObject, { nil: undefined }),
  context: anyObject,
});
const anyPath = fc
  .tuple(
    fc.constantFrom("properties", "traits", "context"),
    fc.array(fc.oneof(fc.constantFrom(...KEYS), fc.nat(3).map(String)), { minLength: 1, maxLength: 4 }),
  )
  .map(([root, parts]) => `${root}.${parts.join(".")}`)
  .filter((name) => /\..+/s.test(name));

type Parts = Pick<Envelope, "properties" | "traits" | "context">;

/** Makes a filter for a value in one of the envelopes, written in one of its spellings. */
function aimAt(parts: readonly Parts[], [envelope, leaf, spelling]: readonly number[]): [string, string] {
  const { properties, context } = parts[(envelope ?? 0) % parts.length] ?? { properties: {}, context: {} };
  const leaves = [...leavesOf({ properties: properties ?? {}, context })].filter(([path]) =>
    /^\w+\..+/s.test(path),
  );
  const [path = "properties.a", value = null] = leaves[(leaf ?? 0) % Math.max(leaves.length, 1)] ?? [];
  const texts = spellingsOf(value);
  return [path, texts[(spelling ?? 0) % texts.length] ?? ""];
}

function* leavesOf(value: JsonValue, path: readonly string[] = []): Generator<[string, JsonValue]> {
  if (typeof value !== "object" || value === null) {
    yield [path.map((part) => part.replaceAll(".", "\\.")).join("."), value];
    return;
  }
  for (const [key, child] of Object.entries(value)) {
    yield* leavesOf(child, [...path, key]);
    if (Array.isArray(value)) yield* leavesOf(child, path); // a list matches by its elements
  }
}

function spellingsOf(value: JsonValue): string[] {
  if (typeof value !== "number") return [String(value), JSON.stringify(value)];
  const long = Math.abs(value) < 1e21 ? [BigInt(Math.trunc(value)).toString()] : [];
  return [String(value), value.toExponential(), value.toExponential(25), `${value}0`, ...long];
}
