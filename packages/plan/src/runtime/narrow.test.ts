import { describe, expect, test } from "vitest";
import { loadPlan } from "../load.ts";
import type { Plan } from "../plan.ts";
import { type CheckedMessage, compilePlan } from "./compile.ts";
import { narrowPlan, newestSince, withheldOf } from "./narrow.ts";

const TEXT = "type: string, max_length: 20, sensitivity: technical, description: Text., example: hello";
const EVENT = "since: 1, why: To know., owner: tests, review: https://example.org/1";
const plan = loadPlan(
  `
product: Test
contact: test@example.org
version: 3
promises: [Nothing that is not here.]
turn_off: [Set TEST_OFF.]
switches: { disable: TEST_OFF }
contacts: { retention_days: 30 }
changelog:
  - { version: 3, date: "2026-03-01", text: Still more. }
  - { version: 2, date: "2026-02-01", text: More. }
  - { version: 1, date: "2026-01-01", text: The first. }
sources:
  server:
    description: The server.
    consent: notice
    mode: observe
    retention_days: 30
    context:
      os: { ${TEXT} }
      app:
        type: object
        description: The product.
        fields:
          name: { ${TEXT} }
          build: { since: 2, ${TEXT} }
      arch: { since: 3, ${TEXT} }
    ids:
      anonymousId: { pattern: "[a-z]+", ${TEXT} }
      userId: { since: 2, hash: true, type: string, sensitivity: interaction, description: Who., example: 0123456789abcdef0123456789abcdef }
  client:
    description: The browser.
    consent: notice
    retention_days: 30
events:
  - { type: track, name: Old, source: [server], ${EVENT}, properties: { a: { ${TEXT} }, b: { since: 2, ${TEXT} } } }
  - type: track
    name: New
    source: [server, client]
    since: 2
    why: To know.
    owner: tests
    review: https://example.org/1
    properties: { a: { ${TEXT} }, b: { since: 3, ${TEXT} } }
  - type: track
    name: Needs
    source: [server]
    ${EVENT.replaceAll(", ", "\n    ")}
    properties:
      a: { ${TEXT} }
      b: { since: 2, required: true, ${TEXT} }
  - type: track
    name: Deep
    source: [server]
    ${EVENT.replaceAll(", ", "\n    ")}
    properties:
      kept: { type: object, description: Keeps one., fields: { a: { ${TEXT} }, b: { since: 2, ${TEXT} } } }
      emptied: { type: object, description: Keeps none., fields: { b: { since: 2, ${TEXT} } } }
      broken:
        type: object
        description: Needs what is lost.
        fields: { a: { ${TEXT} }, b: { since: 2, required: true, ${TEXT} } }
  - type: track
    name: DeepNeeds
    source: [server]
    ${EVENT.replaceAll(", ", "\n    ")}
    properties:
      object: { type: object, required: true, description: It., fields: { b: { since: 2, ${TEXT} } } }
  - type: track
    name: Help
    source: [client]
    ${EVENT.replaceAll(", ", "\n    ")}
    properties:
      os: { pattern: "[a-z]+", ${TEXT} }
      kind: { since: 3, pattern: "[a-z]+", ${TEXT} }
      email: { type: string, format: email, sensitivity: contact, kept_with: [os, kind], description: Address., example: jane@example.org }
`,
  "plan.yaml",
);

/** The paths of everything that a plan declares. */
function listPaths(of: Plan): string[] {
  const walk = (fields: object, prefix: string): string[] =>
    Object.entries(fields).flatMap(([name, field]) => [
      `${prefix}${name}`,
      ...("fields" in field ? walk(field.fields, `${prefix}${name}.`) : []),
    ]);
  return [
    ...Object.entries(of.sources).flatMap(([name, { context, ids }]) =>
      walk({ ...context, ...ids }, `${name}.`),
    ),
    ...of.events.flatMap(({ name, fields }) => [`${name}`, ...walk(fields, `${name}.`)]),
  ];
}

test("a plan that is fully covered stays the same object", () => {
  expect(narrowPlan(plan, 3)).toBe(plan);
  expect(narrowPlan(plan, 4)).toBe(plan);
  expect(withheldOf(plan, 3)).toEqual({ events: [], fields: [] });
});

test("parts newer than the consent are removed, with whatever requires them", () => {
  expect(listPaths(narrowPlan(plan, 1))).toEqual([
    "server.os",
    "server.app",
    "server.app.name",
    "server.anonymousId",
    "Old",
    "Old.a",
    "Deep",
    "Deep.kept",
    "Deep.kept.a",
    "Help",
    "Help.os",
    "Help.email",
  ]);
  expect(withheldOf(plan, 1)).toEqual({
    events: ["track New", "track Needs", "track DeepNeeds"],
    fields: [
      "source server: context.app.build",
      "source server: context.arch",
      "source server: userId",
      "event track Old: properties.b",
      "event track Deep: properties.kept.b",
      "event track Deep: properties.emptied",
      "event track Deep: properties.broken",
      "event track Help: properties.kind",
    ],
  });
});

test("a later consent covers more", () => {
  expect(withheldOf(plan, 2)).toEqual({
    events: [],
    fields: [
      "source server: context.arch",
      "event track New: properties.b",
      "event track Help: properties.kind",
    ],
  });
});

test("what is withheld can be listed for one source", () => {
  expect(withheldOf(plan, 1, "client")).toEqual({
    events: ["track New"],
    fields: ["event track Help: properties.kind"],
  });
  expect(withheldOf(plan, 1, "installer")).toEqual({ events: [], fields: [] });
});

test.each([0, Number.NaN])("a consent for version %s covers nothing", (version) => {
  expect(listPaths(narrowPlan(plan, version))).toEqual([]);
});

test("only what is declared is narrowed, and the given plan is not changed", () => {
  const before = structuredClone(plan);
  const { sources, events, ...rest } = narrowPlan(plan, 1);
  const { sources: _sources, events: _events, ...own } = before;
  expect(rest).toEqual(own);
  expect(plan).toEqual(before);
  expect(sources.client).toEqual(before.sources.client);
  expect(events[0]).toEqual({ ...before.events[0], fields: { a: before.events[0]?.fields.a } });
});

test("a contact is kept with the remaining fields", () => {
  const help = narrowPlan(plan, 1).events.find(({ name }) => name === "Help");
  expect(help?.fields.email?.keptWith).toEqual(["os"]);
});

describe("an SDK with a narrowed plan", () => {
  const redactors = {
    address: () => undefined,
    userAgent: () => undefined,
    pseudonym: () => "pseudonym",
    keyedHash: () => "f".repeat(64),
  };
  const compiled = compilePlan(narrowPlan(plan, 1), redactors);
  const check = (message: Partial<CheckedMessage>) => {
    const kept: CheckedMessage = {
      type: "track",
      event: "Old",
      name: undefined,
      category: undefined,
      userId: undefined,
      anonymousId: "abc",
      groupId: undefined,
      previousId: undefined,
      properties: {},
      traits: undefined,
      context: {},
      integrations: {},
      ...message,
    };
    return { verdict: compiled.check("server", kept, 0), kept };
  };

  test("withholds newer fields and ids, even if the source observes", () => {
    const { verdict, kept } = check({
      properties: { a: "1", b: "2" },
      context: { os: "x", arch: "y", app: { name: "n", build: "b" } },
      userId: "jane",
    });
    expect(kept).toMatchObject({
      properties: { a: "1" },
      context: { os: "x", app: { name: "n" } },
      userId: undefined,
      anonymousId: "abc",
    });
    expect(verdict).toMatchObject({ event: "track Old", refused: undefined });
  });

  test("drops newer events", () => {
    expect(check({ event: "New" }).verdict.refused).toBe("event_not_in_plan");
    expect(check({ event: "Needs" }).verdict.refused).toBe("event_not_in_plan");
  });
});

test("the newest `since` of a source covers its events, their fields, its context and its ids", () => {
  expect([newestSince(plan, "server"), newestSince(plan, "client"), newestSince(plan, "installer")]).toEqual([
    3, 3, 1,
  ]);
  const { server } = plan.sources;
  if (server === undefined) throw new Error("the plan has a server");
  const only = (change: Partial<typeof server>): Plan => ({
    ...plan,
    sources: { server: { ...server, context: {}, ids: {}, ...change } },
    events: [],
  });
  expect(
    [{}, { ids: server.ids }, { context: server.context }].map((change) =>
      newestSince(only(change), "server"),
    ),
  ).toEqual([1, 2, 3]);
});
