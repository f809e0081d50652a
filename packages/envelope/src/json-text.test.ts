import fc from "fast-check";
import { expect, it } from "vitest";
import { nestsDeeper, parseJson } from "./json-text.ts";

it.each([
  ['"Support \\ud83d"', "Support \ufffd"],
  ['"\\uDE00x"', "\ufffdx"],
  ['"\\ud83d\\ud83d\\ude00"', "\ufffd\u{1f600}"],
  ['"\\ud83d\\ude00"', "\u{1f600}"],
  ['"\\uD83D\\uDE00"', "\u{1f600}"],
  ['"\\\\ud83d"', "\\ud83d"],
  ['"\\\\\\ud83d"', "\\\ufffd"],
  ['{"\\ud83d":{"\\ude00":1}}', { "\ufffd": { "\ufffd": 1 } }],
])("%s is parsed as %j", (text, value) => {
  expect(parseJson(text)).toEqual(value);
});

/** Applies `toWellFormed` to every string and key in a value. */
function repaired(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(repaired);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [repaired(key), repaired(inner)]));
}

it("any JSON text is parsed as by JSON.parse, with every string well-formed", () => {
  const unit = fc.constantFrom("\ud83d", "\ude00", "\\", "u", "d83d", '"', "é", "a", "\n", "\u0000");
  const text = fc.string({ unit, maxLength: 12 });
  // V8 in Node 24 and 26 confuses an escaped key ("\n") with a backslash key that it has seen before.
  const key = text.map((name) => name.replaceAll("\\", "/"));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      text,
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(key, tie("value"), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(value, (one) => {
      expect(parseJson(JSON.stringify(one))).toEqual(repaired(one));
    }),
    { numRuns: 1000 },
  );
});

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

it("nestsDeeper measures the depth of any JSON, whatever its strings contain", () => {
  const value = fc.oneof(fc.jsonValue({ maxDepth: 6 }), fc.constant({ '[{\\"': ['{[[["\\', "]]}"] }));
  fc.assert(
    fc.property(value, (any) => {
      const bytes = Buffer.from(JSON.stringify(any));
      const depth = depthOf(any);
      return !nestsDeeper(bytes, depth) && (depth === 0 || nestsDeeper(bytes, depth - 1));
    }),
  );
});

it("nestsDeeper returns for a text that is not JSON", () => {
  for (const text of ["]]]", '"', '"\\', "[[", ""]) {
    expect(nestsDeeper(Buffer.from(text), 2)).toBe(false);
  }
  expect(nestsDeeper(Buffer.from("[[["), 2)).toBe(true);
});
