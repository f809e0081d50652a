import { expect, test } from "vitest";
import { UNCOUNTED_APP, usageIds } from "./wire.ts";

const event = "execute_ACTION_TRIGGERED";

test("an event's id is its messageId, or PostHog's uuid", () => {
  expect(
    usageIds(
      JSON.stringify({
        batch: [
          { event, messageId: "a" },
          { event, uuid: "b" },
        ],
      }),
    ),
  ).toEqual(["a", "b"]);
});

test("other events, and those of the second process, are not counted", () => {
  const batch = [
    { event: "Instance Active", messageId: "a" },
    { event, messageId: "b", properties: { appName: UNCOUNTED_APP } },
    { event, messageId: "c", properties: { appName: "Orders admin" } },
  ];
  expect(usageIds(JSON.stringify({ batch, sentAt: "2026-11-23T12:00:00.000Z" }))).toEqual(["c"]);
});

test("a body that is not a batch throws, and so does a usage event without an id", () => {
  expect(() => usageIds("{}")).toThrow("not a batch: {}");
  expect(() => usageIds(JSON.stringify({ batch: [{ event }] }))).toThrow("without an id");
});
