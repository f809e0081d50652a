import fc from "fast-check";
import { expect, test } from "vitest";
import { createSseParser, type SseEvent } from "./live-feed.ts";

function parseAll(pieces: readonly string[]): SseEvent[] {
  return pieces.flatMap(createSseParser());
}

test.each<[string, string, SseEvent[]]>([
  ["an event with its name", "event: message\ndata: {}\n\n", [{ name: "message", data: "{}" }]],
  ["an event without a name is a message", "data: a\n\n", [{ name: "message", data: "a" }]],
  ["several lines of data", "data: a\ndata:b\ndata:  c\n\n", [{ name: "message", data: "a\nb\n c" }]],
  ["comments are skipped", ": still here\n\n: watching\ndata: a\n\n", [{ name: "message", data: "a" }]],
  ["an event without data is none", "event: message\n\ndata: a\n\n", [{ name: "message", data: "a" }]],
  ["empty data is data", "data\n\n", [{ name: "message", data: "" }]],
  ["colons in data", "data: a:b: c\n\n", [{ name: "message", data: "a:b: c" }]],
  ["other fields are skipped", "id: 1\nretry: 5\ndata: a\n\n", [{ name: "message", data: "a" }]],
  ["line ends of CR LF", "event: missed\r\ndata: 1\r\n\r\n", [{ name: "missed", data: "1" }]],
  [
    "line ends with CR only",
    "data: a\r\rdata: b\r\r:",
    [
      { name: "message", data: "a" },
      { name: "message", data: "b" },
    ],
  ],
  ["line separators of Unicode are data", "data: a\u2028b\n\n", [{ name: "message", data: "a\u2028b" }]],
  ["an unfinished event is dropped", "data: a\n\ndata: b\n", [{ name: "message", data: "a" }]],
])("%s", (_name, text, events) => {
  expect(parseAll([text])).toEqual(events);
});

test("events are the same wherever the text is cut", () => {
  const text =
    ': hi\r\n\r\nevent: missed\r\ndata: {"missed":3}\r\n\r\ndata: ä\rdata: b\n\nevent: x\ndata: 🎉\n\n';
  const whole = parseAll([text]);
  expect(whole).toHaveLength(3);
  fc.assert(
    fc.property(fc.array(fc.nat(text.length)), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), text.length];
      const pieces = places.slice(1).map((end, at) => text.slice(places[at], end));
      expect(parseAll(pieces)).toEqual(whole);
    }),
  );
});
