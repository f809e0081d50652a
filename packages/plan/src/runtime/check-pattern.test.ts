import fc from "fast-check";
import { expect, test } from "vitest";
import { compilePattern } from "./check-pattern.ts";

const PATTERNS = [
  "[0-9a-f]{20,24}",
  "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
  "unknown|@?candor[-/][a-z]{2,16}|@segment/analytics-node|analytics\\.js|analytics-[a-z]{2,16}",
  "unknown|[a-z:-]{0,12}[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,4}",
  "v?[0-9]+\\.[0-9]*",
  "a{2}b{0,3}c?",
  "a?a",
  "[ab]{1,2}b",
  "a{1,3}b{0,2}a",
  "[a-c]?[c-e]?c",
  "[^a]b",
  "(ab)?c",
  ".{1,3}",
  "\\d{1,2}\\w",
  "\\u0061b",
  "[\\]\\\\-]+",
  "é|a",
  "[a-é]{2}",
  "a||b",
  "\\.\\*[+*?]",
] as const;

const character = fc.constantFrom(..."abcdef0129.-@/:_\\]*+?éß😀 \n", "\ud83d");

test.each(PATTERNS)("%j matches what its RegExp matches", (pattern) => {
  const check = compilePattern(pattern);
  const regExp = new RegExp(`^(?:${pattern})$`, "u");
  const value = fc.oneof(
    fc.string({ unit: character, maxLength: 6 }),
    fc.stringMatching(regExp).map((text) => text.slice(0, 64)),
    fc.tuple(fc.stringMatching(regExp), character).map(([text, more]) => text + more),
  );
  fc.assert(
    fc.property(value, (text) => void expect([text, check(text)]).toEqual([text, regExp.test(text)])),
  );
});

test("random patterns match what their RegExps match", () => {
  const chars = fc.constantFrom(
    "a",
    "b",
    "[ab]",
    "[a-c]",
    "[bc]",
    "\\.",
    "-",
    "\\d",
    "[0-9a-f]",
    ".",
    "(?:ab)",
    "[^b]",
  );
  const quantifier = fc.constantFrom("", "", "?", "*", "+", "{2}", "{0,2}", "{1,3}", "{2,}");
  const part = fc.tuple(chars, quantifier).map(([text, many]) => text + many);
  const pattern = fc
    .array(fc.array(part, { maxLength: 4 }), { minLength: 1, maxLength: 3 })
    .map((alternatives) => alternatives.map((parts) => parts.join("")).join("|"));
  const value = fc.string({ unit: fc.constantFrom(..."abcd.-01é"), maxLength: 8 });
  fc.assert(
    fc.property(pattern, fc.array(value, { maxLength: 20 }), (text, values) => {
      const check = compilePattern(text);
      const regExp = new RegExp(`^(?:${text})$`, "u");
      for (const one of values) expect([text, one, check(one)]).toEqual([text, one, regExp.test(one)]);
    }),
    { numRuns: 1000 },
  );
});
