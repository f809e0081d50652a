/** For tests: generates random plans. */
import fc from "fast-check";

/**
 * The content of a plan file. It is written as JSON, which is valid YAML. The plans use all types and formats
 * of fields, in mode `enforce`.
 */
export type PlanData = Record<string, unknown>;

const FIELD_NAMES = ["os", "a", "b c", "$d", "e-f", "0", "toString", "hasOwnProperty", "valueOf", "then"];
const EVENT_NAMES = ["Opened", "Closed", "toString", "Ünïcode ✓", "x\ty"];
const ABOUT = { sensitivity: "technical", description: "A field of a random plan." };
const SOURCES = ["installer", "server", "client"];
const ID = "[0-9a-f]{8}-[0-9a-f]{4}|user-[0-9]{1,6}";

/** Patterns, each with an example that matches it. */
const PATTERNS = [
  { pattern: "[a-z]{1,8}", example: "abc" },
  { pattern: "|/[a-z/]{0,20}", example: "/a" },
  { pattern: "[0-9]{3}-[0-9]{2}", example: "123-45" },
  { pattern: "a|b", example: "b" },
  { pattern: "[^x]{0,9}", example: "free" },
];

const text = fc
  .oneof(
    fc.integer({ min: 4, max: 64 }).map((max_length) => ({ max_length, example: "text" })),
    fc.constantFrom(...PATTERNS),
    fc
      .uniqueArray(fc.constantFrom("edit", "view", "", "a@b.example", "10.0.0.1", "__proto__"), {
        minLength: 1,
      })
      .map((values) => ({ enum: values, example: values[0] })),
    fc.constant({ hash: true, example: "0123456789abcdef0123456789abcdef" }),
    fc.constant({ format: "url", example: "https://host.example/path" }),
    fc.constant({ format: "url", pattern: "/[a-z/]{0,20}", example: "/path" }),
    fc.constant({ format: "version", example: "4.2.0.17" }),
    fc.constant({ format: "ip", example: "203.0.113.7" }),
    fc.constant({ format: "user_agent", example: "Mozilla/5.0" }),
  )
  .map((limits) => ({ type: "string", ...limits }));

const number = fc.oneof(
  fc.constant({ type: "integer", example: 7 }),
  fc.constant({ type: "number", minimum: -0.5, maximum: 10.25, example: 0 }),
  fc.constant({ type: "integer", minimum: 0, maximum: 100, example: 100 }),
  fc.constant({ type: "integer", buckets: [0, 10, 1000], example: 10 }),
  fc.constant({ type: "number", buckets: [-1.5, 0, 2.5], example: 2.5 }),
);
const boolean = fc.constant({ type: "boolean", example: true });
const item = fc.oneof({ weight: 3, arbitrary: text }, number, boolean);
const array = fc.tuple(item, fc.integer({ min: 1, max: 4 })).map(([{ example, ...items }, max_items]) => ({
  type: "array",
  items,
  max_items,
  example: [example],
}));

const { field } = fc.letrec<{ field: object }>((tie) => ({
  field: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 4, arbitrary: item.map((type) => ({ ...ABOUT, ...type })) },
    { weight: 1, arbitrary: array.map((type) => ({ ...ABOUT, ...type })) },
    {
      weight: 2,
      arbitrary: fc
        .dictionary(fc.constantFrom(...FIELD_NAMES), tie("field"), {
          minKeys: 1,
          maxKeys: 4,
          noNullPrototype: true,
        })
        .map((fields) => ({ type: "object", description: "An object of a random plan.", fields })),
    },
  ),
}));
const fields = fc.dictionary(fc.constantFrom(...FIELD_NAMES), field, { maxKeys: 6, noNullPrototype: true });

const CONTACT = {
  type: "string",
  format: "email",
  sensitivity: "contact",
  description: "An address that a person typed.",
  example: "ada@example.com",
  kept_with: ["kind"],
};
const KIND = { ...ABOUT, type: "string", enum: ["bug", "question"], example: "bug", required: true };

function toEvent(type: string, own: object, name: string, source: string[], hasContact: boolean): object {
  const root = type === "identify" || type === "group" ? "traits" : "properties";
  const isNamed = type === "track" || type === "page" || type === "screen";
  return {
    type,
    ...(isNamed ? { name } : {}),
    source,
    since: 1,
    why: "A random plan has random events.",
    owner: "tests",
    review: "https://example.org/review",
    [root]: hasContact ? { ...own, kind: KIND, contact: CONTACT } : own,
  };
}

const event = fc
  .tuple(
    fc.constantFrom("track", "track", "track", "page", "screen", "identify", "group", "alias"),
    fields,
    fc.constantFrom(...EVENT_NAMES),
    fc.uniqueArray(fc.constantFrom(...SOURCES), { minLength: 1 }),
    fc.boolean(),
  )
  .map((parts) => toEvent(...parts));

const id = fc.constantFrom(
  { type: "string", pattern: ID, ...ABOUT, example: "user-1" },
  { type: "string", hash: true, ...ABOUT, example: "0123456789abcdef0123456789abcdef" },
  { type: "string", format: "ip", ...ABOUT, example: "203.0.113.7" },
);
const source = fc.record({
  description: fc.constant("A random source."),
  consent: fc.constant("notice"),
  ip: fc.constantFrom("drop", "country", "truncate", "hash", "keep"),
  user_agent: fc.constantFrom("drop", "family", "keep"),
  retention_days: fc.constant(30),
  context: fields,
  ids: fc.record({ userId: id, anonymousId: id, groupId: id, previousId: id }, { requiredKeys: [] }),
});

const keyOf = (one: object): string => JSON.stringify([Reflect.get(one, "type"), Reflect.get(one, "name")]);

export const randomPlan: fc.Arbitrary<PlanData> = fc.record({
  product: fc.constant("Random"),
  contact: fc.constant("tests@example.org"),
  version: fc.constant(1),
  promises: fc.constant(["Nothing undeclared is kept."]),
  turn_off: fc.constant(["End the test."]),
  switches: fc.constant({ disable: "RANDOM_DISABLE_TELEMETRY" }),
  contacts: fc.constant({ retention_days: 30 }),
  changelog: fc.constant([{ version: 1, date: "2026-01-01", text: "The first plan." }]),
  sources: fc.record({ installer: source, server: source, client: source }),
  events: fc.uniqueArray(event, { minLength: 5, maxLength: 9, selector: keyOf }),
});
