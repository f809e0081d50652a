import fc from "fast-check";
import { expect, test } from "vitest";
import { toSafeJson, toSafeText } from "./terminal.ts";

/** Characters that a terminal could obey, and characters that reorder or hide text. */
const DANGEROUS = /[\p{Cc}\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/u;

test("a terminal's commands are shown, not sent", () => {
  expect(toSafeText("a\u001b]0;title\u0007b\u009b31m\r\nc\u202ed")).toBe(
    "a\\u{1b}]0;title\\u{7}b\\u{9b}31m\\u{d}\\u{a}c\\u{202e}d",
  );
  expect(toSafeText("Größe 大 🎉")).toBe("Größe 大 🎉");
  expect(toSafeText("\ud800")).toBe("\\u{d800}");
});

test("no text gets a control character through", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => !DANGEROUS.test(toSafeText(text))));
});

test("JSON keeps its value, on one line, without a control character", () => {
  fc.assert(
    fc.property(fc.json({ stringUnit: "binary" }), (json) => {
      const compact = JSON.stringify(JSON.parse(json));
      const safe = toSafeJson(compact);
      expect(safe).not.toMatch(DANGEROUS);
      expect(JSON.parse(safe)).toEqual(JSON.parse(compact));
    }),
  );
  expect(toSafeJson('{"a":"\u{e0001}\u007f"}')).toBe('{"a":"\\udb40\\udc01\\u007f"}');
});
