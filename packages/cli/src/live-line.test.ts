import fc from "fast-check";
import { expect, test } from "vitest";
import { type LineOptions, parseLiveMessage, renderLiveLine, shorten } from "./live-line.ts";
import { createColours, toClock } from "./terminal.ts";

const PLAIN: LineOptions = {
  colours: createColours(false),
  columns: undefined,
  toldAt: new Date("2026-01-01T10:00:09Z"),
};
const RECEIVED_AT = "2026-01-01T10:00:05.000Z";
const CLOCK = toClock(new Date(RECEIVED_AT));
const TOLD_CLOCK = toClock(PLAIN.toldAt);

function render(live: object, options = PLAIN): string {
  const message = parseLiveMessage(JSON.stringify(live));
  return message === undefined ? "none" : renderLiveLine(message, options);
}

function kept(envelope: object): object {
  return { verdict: "kept", source: "server", envelope: { receivedAt: RECEIVED_AT, ...envelope } };
}

test.each<[string, object, string]>([
  [
    "a track message",
    kept({
      type: "track",
      event: "Order Completed",
      userId: "me",
      properties: { plan: "free", seats: 8, at: null },
    }),
    `${CLOCK} server    track    Order Completed          user:me            plan=free seats=8 at=null`,
  ],
  [
    "a page of somebody without a name",
    kept({ type: "page", name: "Home", anonymousId: "0b62ab60-02ad-4f69-a181-d9c5eb2f97fa", properties: {} }),
    `${CLOCK} server    page     Home                     anon:0b62ab60-02a…`,
  ],
  [
    "traits, where the message is about them",
    kept({ type: "identify", userId: "me", traits: { name: "A B" }, properties: { not: "this" } }),
    `${CLOCK} server    identify                          user:me            name="A B"`,
  ],
  [
    "a group",
    kept({ type: "group", groupId: "acme", userId: "me", traits: { list: [1, { a: "b c" }] } }),
    `${CLOCK} server    group    acme                     user:me            list=[1,{"a":"b c"}]`,
  ],
  [
    "a value that looks like two is quoted",
    kept({ type: "track", event: "e", userId: "me", properties: { a: "1 b=2", "c d": "" } }),
    `${CLOCK} server    track    e                        user:me            a="1 b=2" "c d"=""`,
  ],
  [
    "a dropped message says why, in a sentence",
    { verdict: "dropped", reason: "no_event", source: "client", message: { type: "track", userId: "me" } },
    `${TOLD_CLOCK} client    track                             user:me            dropped, no_event: A track message needs a non-empty string as its event.`,
  ],
  [
    "something that was not a message",
    { verdict: "dropped", reason: "not_an_object", source: null, message: 7 },
    `${TOLD_CLOCK} ?         ?                                                    dropped, not_an_object: The message is not a JSON object.`,
  ],
])("%s", (_name, live, line) => {
  expect(render(live)).toBe(line);
});

test("a terminal's width cuts properties but not reasons", () => {
  const terminal = { ...PLAIN, columns: 120 };
  const long = kept({ type: "track", event: "e", userId: "me", properties: { a: "x".repeat(500) } });
  expect(render(long, terminal)).toHaveLength(120);
  const dropped = { verdict: "dropped", reason: "duplicate", source: "server", message: { type: "track" } };
  expect(render(dropped, terminal)).toContain("in the last 8 days.");
});

test("dropped messages are red, duplicates yellow", () => {
  const colours = createColours(true);
  const paint = (reason: string) =>
    render({ verdict: "dropped", reason, source: "server", message: {} }, { ...PLAIN, colours }).slice(0, 5);
  expect([paint("no_event"), paint("duplicate")]).toEqual([
    colours.red("").slice(0, 5),
    colours.yellow("").slice(0, 5),
  ]);
});

test("a message cannot control the terminal or forge a line", () => {
  const evil = "\u001b[2J\u001b]0;t\u0007\r\n10:00:00 server \u009b31m\u202e\u007f";
  const fields = {
    type: evil,
    event: evil,
    name: evil,
    userId: evil,
    groupId: evil,
    previousId: evil,
    receivedAt: evil,
    properties: { [evil]: evil, nested: { [evil]: [evil] } },
  };
  for (const type of [evil, "track", "group", "alias", "page"]) {
    for (const live of [
      { verdict: "kept", source: evil, envelope: { ...fields, type } },
      { verdict: "dropped", reason: evil, source: evil, message: { ...fields, type } },
    ]) {
      expect(render(live)).toMatch(/^[^\p{Cc}\p{Cf}]+$/u);
      expect(render(live, { ...PLAIN, columns: 60 })).toMatch(/^[^\p{Cc}\p{Cf}]+$/u);
    }
  }
});

test("any JSON is shown on one plain line or not at all", () => {
  const value = fc.jsonValue({ stringUnit: "binary" });
  const live = fc.record({
    verdict: fc.constantFrom("kept", "dropped"),
    reason: value,
    source: value,
    envelope: value,
  });
  const noText = { verdict: "dropped", reason: { toString: false }, source: [], envelope: {} };
  const isPlain = (any: object) => /^[^\p{Cc}\p{Cf}]*$/u.test(render(any));
  fc.assert(fc.property(live, isPlain), { examples: [[noText]] });
  expect(["", "7", "null", "[]", "{"].map(parseLiveMessage)).toEqual(Array(5).fill(undefined));
});

test("text is cut between characters, never inside one", () => {
  expect(shorten("abcdef", 4)).toBe("abc…");
  expect(shorten("🎉🎉🎉", 2)).toBe("🎉…");
  expect(shorten("🎉🎉🎉", 3)).toBe("🎉🎉🎉");
});
