import type { Fields } from "@candor/envelope/unknown-value";
import { describe, expect, it, test } from "vitest";
import {
  type Comparison,
  compareFields,
  compareMessages,
  isInOrder,
  type OwnMessage,
  renderComparison,
} from "./comparison.ts";
import { createColours } from "./terminal.ts";

const OLDEST_MS = Date.parse("2026-11-16T12:00:00Z");
const AT = "2026-11-23T12:00:00.000Z";

/** A message as stored in the outbox. */
const sent: Fields = {
  type: "track",
  event: "execute_ACTION_TRIGGERED",
  messageId: "m1",
  timestamp: AT,
  anonymousId: "6f0d2f6c-3c1e-4f6e-9a55-2f1c7b1f0a3d",
  properties: { timeElapsed: 8, tags: ["a", "b"], datasource: { name: "Test" } },
  context: { library: { name: "@candor/node", version: "0.1.0" } },
};

/** The same message as a collector returns it. */
const held: Fields = {
  ...sent,
  integrations: {},
  originalTimestamp: AT,
  receivedAt: "2026-11-23T12:00:10.000Z",
  sentAt: "2026-11-23T12:00:09.000Z",
  timestamp: "2026-11-23T12:00:01.000Z",
  candor: { source: "server", planVersion: 2 },
};

const own = (...messages: readonly (readonly [string, OwnMessage["state"]])[]) =>
  new Map(messages.map(([messageId, state]) => [messageId, { state, message: { ...sent, messageId } }]));
const there = (...ids: readonly string[]) =>
  new Map(ids.map((messageId) => [messageId, { ...held, messageId }]));

describe("one message", () => {
  it.each<[string, Fields, Fields, readonly object[]]>([
    ["is the same but for what collectors add", sent, held, []],
    ["may lose its write key", { ...sent, writeKey: "k" }, held, []],
    [
      "is told what a plan left out",
      sent,
      { ...held, properties: { timeElapsed: 8, tags: ["a", "b"] } },
      [{ path: "properties.datasource.name", kind: "trimmed" }],
    ],
    [
      "is told what was reduced",
      { ...sent, userId: "ada", context: { ip: "192.0.2.7", userAgent: "Mozilla/5.0" } },
      { ...held, userId: "0".repeat(32), context: { ip: "192.0.2.0", userAgent: "Firefox on Linux" } },
      [
        { path: "context.ip", kind: "reduced" },
        { path: "context.userAgent", kind: "reduced" },
        { path: "userId", kind: "reduced" },
      ],
    ],
    [
      "is told of hashes that were hashed once more",
      { ...sent, properties: { ...Object(sent.properties), who: "a".repeat(64), all: ["b".repeat(64)] } },
      { ...held, properties: { ...Object(sent.properties), who: "0".repeat(32), all: ["1".repeat(32)] } },
      [
        { path: "properties.who", kind: "reduced" },
        { path: "properties.all", kind: "reduced" },
      ],
    ],
    [
      "is told of an id that became another one",
      { ...sent, userId: "ada" },
      { ...held, userId: "bob" },
      [{ path: "userId", kind: "changed" }],
    ],
    [
      "is told what was changed and added",
      sent,
      {
        ...held,
        event: "Other",
        properties: { ...Object(sent.properties), tags: ["a"], email: "ada@example.org" },
      },
      [
        { path: "event", kind: "changed" },
        { path: "properties.tags", kind: "changed" },
        { path: "properties.email", kind: "added" },
      ],
    ],
    [
      "is told of another time",
      sent,
      { ...held, originalTimestamp: "2026-11-23T12:00:00.001Z" },
      [{ path: "timestamp", kind: "changed" }],
    ],
    [
      "may be answered with anything",
      { ...sent, userId: "ada" },
      { ...held, userId: [{ toString: false }], originalTimestamp: { toString: false } },
      [
        { path: "timestamp", kind: "changed" },
        { path: "userId", kind: "changed" },
      ],
    ],
    [
      "has the time that was kept when no other is there",
      sent,
      { ...held, originalTimestamp: undefined, timestamp: AT },
      [],
    ],
  ])("%s", (_, mine, theirs, differences) => {
    expect(compareFields(mine, theirs)).toEqual(differences);
  });
});

test("messages that are the same on both sides are in order, whether or not the outbox knows that they were sent", () => {
  const comparison = compareMessages(
    own(["a", "sent"], ["b", "waiting"], ["c", "waiting"]),
    there("a", "b"),
    OLDEST_MS,
  );
  expect(comparison).toEqual({
    sent: 1,
    waiting: 2,
    held: 2,
    same: 2,
    missingThere: [],
    missingHere: [],
    older: 0,
    differing: [],
    trimmed: {},
  });
  expect(isInOrder(comparison)).toBe(true);
});

test("messages missing at the collector, or recent ones missing here, are out of order; older ones are not", () => {
  const old = { ...held, messageId: "old", originalTimestamp: "2026-11-16T11:59:59.999Z" };
  const comparison = compareMessages(own(["a", "sent"]), new Map([...there("b"), ["old", old]]), OLDEST_MS);
  expect(comparison).toMatchObject({ missingThere: ["a"], missingHere: ["b"], older: 1, same: 0 });
  expect(isInOrder(comparison)).toBe(false);
  expect(isInOrder({ ...comparison, missingThere: [] })).toBe(false);
  expect(isInOrder({ ...comparison, missingHere: [] })).toBe(false);
});

test("values that a plan left out are counted by their path; other differences are listed", () => {
  const trimmed = { ...held, properties: { timeElapsed: 8, tags: ["a", "b"] } };
  const changed = { ...held, event: "Other" };
  const all = new Map<string, Fields>([
    ["a", { ...trimmed, messageId: "a" }],
    ["b", { ...trimmed, messageId: "b" }],
    ["c", { ...changed, messageId: "c" }],
  ]);
  const comparison = compareMessages(own(["a", "sent"], ["b", "sent"], ["c", "sent"]), all, OLDEST_MS);
  expect(comparison).toMatchObject({
    same: 2,
    differing: [{ messageId: "c", fields: [{ path: "event", kind: "changed" }] }],
    trimmed: { "properties.datasource.name": 2 },
  });
  expect(isInOrder(comparison)).toBe(false);
});

const ALL: Comparison = {
  sent: 25,
  waiting: 0,
  held: 25,
  same: 25,
  missingThere: [],
  missingHere: [],
  older: 0,
  differing: [],
  trimmed: {},
};
const about = { instanceId: "i", collector: "c", notAsked: 0, storedUntil: undefined };
const changed = [{ messageId: "m", fields: [{ path: "event", kind: "changed" as const }] }];

it.each<[found: Partial<Comparison>, headline: string]>([
  [{}, "The collector stores exactly what was sent."],
  [
    { missingHere: ["a", "b"] },
    "The collector stores what was sent. It also stores 2 with this instance's id that were never in this outbox: another copy of this instance may send too.",
  ],
  [{ missingThere: ["a"] }, "The collector does not store 1 of 25 sent messages."],
  [{ differing: changed }, "It stores 1 differently from how it was sent."],
  [
    { missingThere: ["a"], differing: changed, missingHere: ["b"] },
    "The collector does not store 1 of 25 sent messages. It stores 1 differently from how it was sent. It also stores 1 with this instance's id that were never in this outbox: another copy of this instance may send too.",
  ],
])("the first sentence says what was found: %j", (found, headline) => {
  const text = renderComparison({ ...ALL, ...found }, about, createColours(false));
  expect(text.split("\n")[0]).toBe(headline);
});
