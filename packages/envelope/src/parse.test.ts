import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseMessage } from "./parse.ts";
import { ALONE, readShared } from "./shared.ts";

const TRACK = { type: "track", event: "Opened", userId: "u1" };

describe("parseMessage", () => {
  it.each([
    ["a string", "track", "not_an_object"],
    ["null", null, "not_an_object"],
    ["an array", [TRACK], "not_an_object"],
    ["no type", { userId: "u1", event: "Opened" }, "unknown_type"],
    ["a type of its own", { ...TRACK, type: "delete" }, "unknown_type"],
    ["a track without event", { type: "track", userId: "u1" }, "no_event"],
    ["a track whose event is empty", { ...TRACK, event: "" }, "no_event"],
    ["no id", { type: "track", event: "Opened" }, "no_user_anon_id"],
    ["ids that are null or empty", { ...TRACK, userId: null, anonymousId: "" }, "no_user_anon_id"],
    ["a group id on a track", { type: "track", event: "Opened", groupId: "g" }, "no_user_anon_id"],
    ["a messageId of 100 characters", { ...TRACK, messageId: "m".repeat(100) }, "message_id_too_long"],
    ["properties that are a list", { ...TRACK, properties: [1] }, "properties_not_object"],
    ["traits that are a text", { type: "identify", userId: "u1", traits: "x" }, "traits_not_object"],
    ["a context that is a number", { ...TRACK, context: 7 }, "context_not_object"],
    ["a userId beyond 2^53", { ...TRACK, userId: Number("90071992547409931") }, "number_out_of_range"],
    ["a messageId beyond a double", { ...TRACK, messageId: Number.POSITIVE_INFINITY }, "number_out_of_range"],
  ])("refuses %s", (_what, item, reason) => {
    expect(parseMessage(item, ALONE)).toBe(reason);
  });

  it("accepts a group by its groupId and an alias by its previousId alone", () => {
    expect(parseMessage({ type: "group", groupId: "g1" }, ALONE)).toMatchObject({
      groupId: "g1",
      traits: {},
    });
    expect(parseMessage({ type: "alias", previousId: "p1" }, ALONE)).toMatchObject({ previousId: "p1" });
  });

  it("prefers the type of the path to the message's own", () => {
    expect(parseMessage({ type: "track", userId: "u1" }, ALONE, "identify")).toMatchObject({
      type: "identify",
    });
  });

  it("takes keys that a message's context lacks from the batch, and always the batch's sentAt", () => {
    const batch = readShared({
      context: { library: { name: "go" }, locale: "de" },
      integrations: { All: false },
      sentAt: "1970-01-01T00:00:00.005Z",
    });
    const own = { ...TRACK, context: { locale: "fr" }, sentAt: "2020-11-04T08:05:52Z" };
    expect(parseMessage(own, batch)).toMatchObject({
      context: { library: { name: "go" }, locale: "fr" },
      integrations: { All: false },
      sentAtMs: 5,
    });
  });

  it("keeps a property called __proto__ as a property", () => {
    const item: unknown = JSON.parse(
      '{"type":"track","event":"e","userId":"u","context":{"__proto__":{"x":1}}}',
    );
    const message = parseMessage(item, { ...ALONE, context: { locale: "de" } });
    expect(JSON.stringify(message)).toContain('"__proto__":{"x":1}');
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  it("lists the times that cannot be parsed, and falls back to originalTimestamp", () => {
    const times = { timestamp: "soon", originalTimestamp: "2020-11-04T08:05:52Z", sentAt: 5 };
    expect(parseMessage({ ...TRACK, ...times }, ALONE)).toMatchObject({
      originalTimestampMs: Date.UTC(2020, 10, 4, 8, 5, 52),
      sentAtMs: undefined,
      unreadableTimes: ["timestamp", "sentAt"],
    });
    expect(parseMessage(TRACK, readShared({ sentAt: "never" }))).toMatchObject({
      unreadableTimes: ["sentAt"],
    });
    expect(parseMessage(TRACK, ALONE)).toMatchObject({ unreadableTimes: [] });
  });

  it("reads the plan version that Candor's SDKs send, and ignores any other value", () => {
    expect(parseMessage({ ...TRACK, candor: { planVersion: 3 } }, ALONE)).toMatchObject({ planVersion: 3 });
    expect(parseMessage({ ...TRACK, candor: { skipped: 7 } }, ALONE)).toMatchObject({ skipped: 7 });
    for (const skipped of [0, -1, 1.5, 2 ** 32, "3", null])
      expect(parseMessage({ ...TRACK, candor: { skipped } }, ALONE)).toMatchObject({ skipped: undefined });
    for (const planVersion of [0, -1, 1.5, 2 ** 32, "3", null, { a: 1 }])
      expect(parseMessage({ ...TRACK, candor: { planVersion } }, ALONE)).toMatchObject({
        planVersion: undefined,
      });
  });

  it("converts ids that are numbers to digits", () => {
    expect(parseMessage({ ...TRACK, userId: 42, messageId: 7 }, ALONE)).toMatchObject({
      userId: "42",
      messageId: "7",
    });
  });

  it("never throws, and returns a message or a reason for any JSON value", () => {
    const field = fc.oneof(fc.jsonValue(), fc.constant(null), fc.string());
    const item = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          type: fc.oneof(fc.constantFrom("track", "identify", "page", "screen", "group", "alias"), field),
          event: field,
          userId: field,
          anonymousId: field,
          messageId: field,
          properties: field,
          traits: field,
          context: field,
          integrations: field,
          timestamp: field,
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(item, (value) => {
        const result = parseMessage(value, ALONE);
        if (typeof result === "string") return /^[a-z_]+$/.test(result);
        return (
          result.userId !== "" &&
          (result.userId ?? result.anonymousId ?? result.groupId ?? result.previousId) !== undefined
        );
      }),
      { numRuns: 2000 },
    );
  });

  it("keeps every property of a track exactly", () => {
    const keys = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 }));
    fc.assert(
      fc.property(keys, (properties) => {
        const sent: unknown = JSON.parse(JSON.stringify({ ...TRACK, properties }));
        const message = parseMessage(sent, ALONE);
        return (
          typeof message !== "string" && JSON.stringify(message.properties) === JSON.stringify(properties)
        );
      }),
    );
  });
});
