import { MESSAGE_REASONS, readShared } from "@candor/envelope/wire";
import fc from "fast-check";
import { expect, it } from "vitest";
import { InstanceIdPlace } from "../message.ts";
import { type Arrival, readMessage } from "./messages.ts";

const ALONE: Arrival = {
  type: undefined,
  shared: readShared({}),
  receivedAtMs: 1_795_000_000_000,
  retryCount: 0,
  address: "203.0.113.7",
  userAgent: "Browser/1",
  keyedHash: () => "0123456789abcdef".repeat(4),
  idPlace: new InstanceIdPlace({ sources: {}, events: [] }, "client"),
  instanceId: () => "an-instance",
};

it("never throws, and turns any JSON value into a message or a reason", () => {
  const any = fc.oneof(fc.jsonValue(), fc.string(), fc.constant(null));
  const keys = "event name userId anonymousId groupId messageId properties traits context timestamp sentAt";
  const fields = Object.fromEntries(keys.split(" ").map((key) => [key, any]));
  const type = fc.oneof(fc.constantFrom("track", "identify", "page", "screen", "group", "alias"), any);
  const item = fc.oneof(any, fc.record({ ...fields, type }, { requiredKeys: [] }));
  const anonymous = fc.record({ type, event: any, anonymousId: fc.constant("a"), properties: any });
  fc.assert(
    fc.property(fc.oneof(item, anonymous), (value) => {
      const message = readMessage(value, ALONE);
      if (typeof message === "string") return Object.hasOwn(MESSAGE_REASONS, message);
      const id = message.messageId;
      return message.timestampMs <= ALONE.receivedAtMs && (id === undefined || /^[\w.:-]{1,99}$/.test(id));
    }),
    { numRuns: 500 },
  );
});

it("converts numeric ids to text, and reads a name only for types that have one", () => {
  const item = {
    type: "group",
    name: "not its own",
    userId: 42,
    groupId: 7,
    anonymousId: null,
    traits: { a: 1 },
  };
  expect(readMessage(item, ALONE)).toEqual({
    type: "group",
    name: undefined,
    userId: "42",
    anonymousId: undefined,
    groupId: "7",
    values: { a: 1 },
    context: { ip: "203.0.113.7", userAgent: "Browser/1" },
    timestampMs: ALONE.receivedAtMs,
    messageId: undefined,
  });
});

it("leaves out `__proto__`, and does not change a prototype", () => {
  const item: unknown = JSON.parse(
    '{"type":"page","userId":"u","properties":{"__proto__":{"x":1},"a":1},"context":{"__proto__":{"ip":"1"}}}',
  );
  const message = readMessage(item, ALONE);
  expect(message).toMatchObject({ values: { a: 1 }, context: { ip: "203.0.113.7" } });
  expect(JSON.stringify(message)).not.toContain("__proto__");
  expect(Object.hasOwn(Object.prototype, "x")).toBe(false);
});

it("sets no messageId if it cannot hash the given one: a new one is made later", () => {
  const item = { type: "page", userId: "u", messageId: "ada@example.org" };
  expect(readMessage(item, { ...ALONE, keyedHash: undefined })).toMatchObject({ messageId: undefined });
});
