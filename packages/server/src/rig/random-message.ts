/** For tests: generates random messages for a plan. */
import {
  type Field,
  type Fields,
  ID_NAMES,
  type Plan,
  type PlanSource,
  type PlanSourceName,
} from "@candor/plan";
import fc from "fast-check";
import type { Json } from "./plan-oracle.ts";

/**
 * Occurs in the name or the value of nearly everything that must not be kept, and in nothing that may be
 * kept.
 */
export const MARKER = "zqxundeclared";
/** The marker for numbers. */
export const NUMBER_MARKER = 9_182_736_455_463;

const SURROGATE = "\ud800";
const DEEP: unknown = JSON.parse(`${'{"n":'.repeat(20)}"${MARKER}"${"}".repeat(20)}`);

/**
 * Values that are wrong in most places: of a wrong type, too long, or in an undeclared form. Each contains a
 * marker if it can.
 */
const wrong = fc.oneof(
  fc.constantFrom<unknown>(
    MARKER,
    `${MARKER}@mail.example`,
    MARKER.repeat(400),
    NUMBER_MARKER,
    null,
    DEEP,
    [MARKER, [NUMBER_MARKER, { [MARKER]: MARKER }]],
    { [MARKER]: MARKER, x: { [`y${MARKER}`]: NUMBER_MARKER } },
    SURROGATE + MARKER,
  ),
  fc.json({ maxDepth: 3 }).map((text): unknown => ({ [MARKER]: JSON.parse(text) })),
);

const undeclaredNames = fc.constantFrom(
  MARKER,
  `$${MARKER}`,
  `${MARKER}@mail.example`,
  SURROGATE + MARKER,
  "__proto__",
  "constructor",
  "prototype",
  "isPrototypeOf",
  "OS",
  "",
  "7",
  "a.b",
);
const extras = fc.array(fc.tuple(undeclaredNames, wrong), { maxLength: 3 });

/**
 * Generates values for a field: valid, at a limit, or beyond it. Values that may be kept contain no marker.
 */
function valuesOf(field: Pick<Field, "type">, source: PlanSource): fc.Arbitrary<unknown> {
  const typed = field as Field;
  switch (typed.type) {
    case "boolean":
      return fc.constantFrom<unknown>(true, false, "true", 0, null);
    case "integer":
    case "number":
      return fc.oneof(
        fc.constantFrom<unknown>(0, -0, 1, -1, 7, 10, 10.25, 10.26, -0.5, -0.6, 99, 100, 101, "7", 2 ** 53),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
      );
    case "object":
      return objectOf(typed.fields, source);
    case "array":
      return fc.array(mixed(typed.items, source), { maxLength: 5 });
    case "string":
      return textOf(typed, source);
  }
}

function mixed(field: Pick<Field, "type">, source: PlanSource): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 5, arbitrary: valuesOf(field, source) },
    { weight: 1, arbitrary: wrongFor(field, source) },
  );
}

/**
 * Generates wrong values for a field. Values that the collector may keep are left out, because a marker in
 * them would prove nothing: any word in free text or in a user agent that is kept whole, and any digits of a
 * number.
 */
function wrongFor(field: Pick<Field, "type">, { userAgent }: PlanSource): fc.Arbitrary<unknown> {
  const type = field as Field;
  if (type.type === "array") return wrong.filter((value) => !Array.isArray(value));
  if (type.type !== "string") return wrong.filter((value) => value !== NUMBER_MARKER);
  const isWhole = type.format === "user_agent" && userAgent === "keep";
  const isWrong = (text: string): boolean => text.length > 4096 || (text.includes("@") && !isWhole);
  return wrong.filter((value) => typeof value !== "string" || isWrong(value));
}

function textOf(field: Extract<Field, { type: "string" }>, { userAgent }: PlanSource): fc.Arbitrary<unknown> {
  if (field.hash)
    return fc.constantFrom("0a".repeat(16), "f".repeat(64), "F".repeat(32), "f".repeat(65), MARKER);
  if (field.enum !== undefined) return fc.constantFrom(...field.enum, MARKER, `${field.enum[0]} ${MARKER}`);
  const address = fc.constantFrom(
    "203.0.113.77",
    "2001:db8:77::1",
    "::ffff:203.0.113.77",
    "[::1]",
    "10.0.0.1:80",
  );
  if (field.format === "version")
    return fc.constantFrom("4.2.0.17", "v1.9.2-rc.1+b5", MARKER, `1.2 ${MARKER}`);
  if (field.format === "ip") return fc.oneof(address, fc.constant(MARKER));
  if (field.format === "user_agent") {
    const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0";
    return fc.constantFrom(browser, userAgent === "keep" ? "any" : `${browser} ${MARKER}/1`, "curl/8");
  }
  if (field.format === "url") {
    return fc.constantFrom(
      "/path",
      "",
      "/a//b",
      `https://${MARKER}.example/path?${MARKER}=1#${MARKER}`,
      `//${MARKER}.example/path`,
      `/path?${MARKER}`,
      `/path;${MARKER}=1`,
      `javascript:${MARKER}`,
      `https://${MARKER}:${MARKER}@host.example//two/three`,
      `/who/${MARKER}%40mail.example`,
    );
  }
  const long = fc.constantFrom("x".repeat(field.maxLength), "y".repeat(field.maxLength + 1));
  const free = fc.constantFrom("abc", "/a", "123-45", "b", "a\n", "", "é\t✓\\", SURROGATE, "free", "\0");
  const planted = fc.constantFrom(`to ${MARKER}@mail.example`, `${MARKER}%40mail.example`);
  return fc.oneof(long, free, address, planted);
}

function objectOf(fields: Fields, source: PlanSource): fc.Arbitrary<Json> {
  const declared = Object.entries(fields).map(([name, field]) =>
    fc
      .option(
        field.sensitivity === "contact"
          ? fc.constantFrom<unknown>("ada@contact.example", 7, "none")
          : mixed(field, source),
        { freq: 8, nil: undefined },
      )
      .map((value): [string, unknown] => [name, value]),
  );
  // `fromEntries`, unlike an assignment, creates an own property even for `__proto__`.
  return fc
    .tuple(
      fc.tuple(...declared),
      fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: extras }),
    )
    .map(([own, more]) => Object.fromEntries([...own, ...more].filter(([, value]) => value !== undefined)));
}

const ids = fc.constantFrom<unknown>(
  "user-7",
  "0123abcd-0123",
  "0a".repeat(16),
  "203.0.113.77",
  "::ffff:cb00:714d",
  MARKER,
  `${MARKER}@mail.example`,
  NUMBER_MARKER,
  SURROGATE + MARKER,
  null,
);
const named = fc.constantFrom<unknown>(undefined, MARKER, `${MARKER}@mail.example`, 7);

/**
 * Generates a message for an event of the plan, with much undeclared data. In most messages, the source is
 * allowed to send the event.
 */
export function randomMessage(plan: Plan, sourceName: PlanSourceName): fc.Arbitrary<Json> {
  const source = plan.sources[sourceName];
  const own = plan.events.filter(({ sources }) => sources.includes(sourceName));
  if (source === undefined) throw new Error("a random plan has all sources");
  return fc.constantFrom(...own, ...own, ...own, ...plan.events).chain((event) => {
    const root = event.type === "identify" || event.type === "group" ? "traits" : "properties";
    const other = root === "traits" ? "properties" : "traits";
    const nothing = fc.constant<unknown>(undefined);
    const rare = (value: fc.Arbitrary<unknown>) =>
      fc.oneof({ weight: 5, arbitrary: nothing }, { weight: 1, arbitrary: value });
    const name = fc.oneof(
      { weight: 9, arbitrary: fc.constant<unknown>(event.name) },
      { weight: 1, arbitrary: named },
    );
    return fc.record({
      ...Object.fromEntries(ID_NAMES.map((id) => [id, rare(ids)])),
      anonymousId: ids.filter((value) => value !== null),
      type: fc.constant(event.type),
      ...(event.type === "track" ? { event: name, name: rare(named) } : { name, event: rare(named) }),
      category: rare(named),
      [root]: objectOf(event.fields, source),
      [other]: rare(fc.constant({ [MARKER]: MARKER })),
      context: objectOf(source.context, source),
      integrations: rare(fc.constant({ [MARKER]: { [MARKER]: true } })),
      [MARKER]: rare(wrong),
      timestamp: fc.constantFrom<unknown>("2026-11-20T10:00:00.000Z", MARKER, undefined),
    });
  });
}
