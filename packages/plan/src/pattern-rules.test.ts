import { describe, expect, test } from "vitest";
import { patternFault } from "./pattern-rules.ts";

describe("a pattern that no value can make slow is taken", () => {
  test.each([
    "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "[a-z]{2,3}(-[A-Z][a-z][a-z][a-z])?(-[A-Z][A-Z]|-419)?",
    "unknown|@?candor[-/][a-z]{2,16}|analytics\\.js|analytics-[a-z]{2,16}",
    "v[0-9]+\\.[0-9]+",
    "/[A-Za-z:/-]{0,127}",
    "(?<year>[0-9]{4})-(?:0|1)[0-9]",
    "\\p{Lu}\\p{Ll}*[)*+]{1,3}",
    "[\\]*+)]*",
  ])("%s", (pattern) => {
    expect(patternFault(pattern)).toBeUndefined();
  });
});

describe("a pattern that cannot be used is refused with its cure", () => {
  test.each([
    ["([a-z]", 256, "This is no regular expression of JavaScript"],
    ["[a-z]\\-", 256, "This is no regular expression of JavaScript"],
    ["([a-z]+)+", 256, "Write no repetition inside of a repetition"],
    ["(a|a)*b", 256, "write a group out"],
    ["(?:\\w|_)+x", 256, "write a group out"],
    ["(?:a|a){40}b", 256, "write a group out"],
    [".*.*.*x", 256, "Write narrower bounds"],
    [".*.*x", 4096, "Write narrower bounds"],
    ["[a-z]{0,64}[a-z]{0,64}[a-z]{0,64}[a-z]{0,64}!", 256, "Write narrower bounds"],
    [`${"a?".repeat(21)}b`, 256, "Write narrower bounds"],
    [`${"(a|a)".repeat(21)}b`, 256, "Write narrower bounds"],
  ])("%s", (pattern, maxLength, sentence) => {
    expect(patternFault(pattern, maxLength)).toContain(sentence);
  });
});
