import { describe, expect, test } from "vitest";
import { patternFault } from "./pattern-rules.ts";

describe("a pattern that no value can make slow is accepted", () => {
  test.each([
    ["[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", 256, 1],
    ["[a-z]{2,3}(-[A-Z][a-z][a-z][a-z])?(-[A-Z][A-Z]|-419)?", 256, 1],
    ["unknown|@?candor[-/][a-z]{2,16}|analytics\\.js|analytics-[a-z]{2,16}", 256, 1],
    ["v[0-9]+\\.[0-9]+", 256, 1],
    ["/[A-Za-z:/-]{0,127}", 256, 1],
    ["(?<year>[0-9]{4})-(?:0|1)[0-9]", 256, 1],
    ["\\p{Lu}\\p{Ll}*[)*+]{1,3}", 256, 1],
    ["[\\]*+)]*", 256, 1],
    // Optional and repeated groups in which each character decides what comes next.
    ["[0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}(-beta[.][0-9]{1,3})?", 256, 32],
    ["[0-9]+(?:\\.[0-9]+){0,3}(?:-[a-z]+(?:\\.[0-9]+)?)?", 64, 32],
    ["[a-z]+(-[a-z]+)*", 256, 1],
    ["(?:[0-9a-f]{4}:){7}[0-9a-f]{4}", 256, 125],
    ["(ab){8}", 256, 1000],
    ["(-beta[.][0-9]{1,3})?", 256, 1000],
    ["v?[0-9]+([.][0-9]+)?([.][0-9]+)?(-[0-9A-Za-z-]+([.][0-9A-Za-z-]+)*)?([+][0-9A-Za-z-]+)?", 256, 32],
    ["@?[a-z0-9_-]+(/[a-z0-9_-]+)*", 256, 125],
    ["/([a-z]+(-[a-z]+)*/)*", 256, 32],
    ["([A-Z][a-z]+ ?)+", 256, 32],
    // Alternatives that begin alike, but that a later character at the same position distinguishes.
    ["(feat|feature|fix)(,(feat|feature|fix))*", 256, 32],
    ["(node-red|node-red-dashboard|n8n)(@[0-9]+([.][0-9]+)*)?", 256, 125],
    ["((19|20)[0-9]{2}-(0[1-9]|1[0-2]);)*", 256, 32],
    ["[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+", 4096, 1],
    ["(?:GET|PUT|POST) [a-z/]{1,200}", 256, 1],
    ["(?!admin)[a-z]{1,32}", 256, 32],
    [".*.*x", 256, 1],
    ["[a-z]{1,16}", 256, 1000],
  ])("%s of %i characters in a list of %i", (pattern, maxLength, values) => {
    expect(patternFault(pattern, maxLength, values)).toBeUndefined();
  });
});

describe("an unusable pattern is refused with what to write instead", () => {
  test.each([
    ["([a-z]", 256, 1, "invalid at character 7: unterminated group. Close the group with `)`"],
    ["[a-z])", 256, 1, "invalid at character 6: unmatched ')'. Remove this `)`"],
    ["[a-z", 256, 1, "unterminated character class. Close the class with `]`"],
    ["a{", 256, 1, "incomplete quantifier. Write `{2}` or `{1,3}`"],
    ["a]", 256, 1, "lone quantifier brackets. Write `[{]`"],
    ["*a", 256, 1, "nothing to repeat. Write what is repeated before `*`"],
    ["a{3,1}", 256, 1, "Write the smaller number first"],
    ["[z-a]", 256, 1, "Write the lower character first"],
    ["[\\d-z]", 256, 1, "Write `-` last"],
    ["\\1", 256, 1, "a group cannot be repeated by number"],
    ["(?<a>x)(?<a>y)", 256, 1, "Groups need no name."],
    ["\\p{Foo}", 256, 1, "invalid property name. Write a property of Unicode"],
    ["\\u{110000}", 256, 1, "Write it as in JavaScript (ECMAScript 2024, flag `u`)"],
    ["[a-z]\\-", 256, 1, "invalid escape. Only characters with a meaning of their own take a backslash"],
    ["(?i:[a-z])", 256, 1, "Flags such as `(?i)` are not supported"],
    ["[[:alpha:]]+", 256, 1, "`[:alpha:]` are not supported. Write the characters, as in `[A-Za-z]`"],
    ["x[[:^digit:]a]", 256, 1, "Write the characters, as in `[A-Za-z]`"],
    ["\\Aa", 256, 1, "A pattern always matches the whole value. Leave out `\\A`, `\\Z` and `\\z`"],
    ["a\\z", 256, 1, "Leave out `\\A`, `\\Z` and `\\z`"],
    ["[a-z]++", 256, 1, "Possessive repetition is not supported. Write one `+`, `*`, `?` or `{...}`"],
    ["a{2}+", 256, 1, "Possessive repetition is not supported"],
    ["a**", 256, 1, "Write what is repeated before `*`"],
    ["[*+]**", 256, 1, "Write what is repeated before `*`"],
    ["(?>ab)c", 256, 1, "Atomic groups are not supported. Write `(?:...)`"],
    ["(?P<year>[0-9])", 256, 1, "Groups need no name. Write `(...)`"],
    ["(?#year)[0-9]", 256, 1, "Comments are not supported. Remove the group"],
    ["(?<n>a)\\k<m>", 256, 1, "A group cannot be repeated by name. Write it out again"],
    ["([a-z]+)+", 256, 1, "Write narrower bounds"],
    ["([0-9a-f]+-?)+", 256, 1, "Write narrower bounds"],
    ["(a|a)*b", 256, 1, "Write narrower bounds"],
    ["(?:\\w|_)+x", 256, 1, "Write narrower bounds"],
    ["(?:a|a){40}b", 256, 1, "Write narrower bounds"],
    ["(a?){40}b", 256, 1, "Write narrower bounds"],
    ["(aa|a)*b", 256, 1, "Write narrower bounds"],
    ["(foo|bar|foobar)*x", 256, 1, "Write narrower bounds"],
    ["([a-z]+(-[a-z]+)*)*x", 256, 1, "Write narrower bounds"],
    ["(-?[a-z]+)*x", 256, 1, "Write narrower bounds"],
    ["([a-z]+-)*[a-z]+", 256, 32, "for a list of 32 values"],
    ["(a*)*b", 256, 1, "Write narrower bounds"],
    [".*.*.*x", 256, 1, "a character between two repetitions that neither matches"],
    [".*.*x", 4096, 1, "or a smaller `max_length`"],
    ["\\p{L}+[^x]+\\S+!", 256, 1, "Write narrower bounds"],
    ["[a-z]{0,64}[a-z]{0,64}[a-z]{0,64}[a-z]{0,64}!", 256, 1, "Write narrower bounds"],
    [`${"a?".repeat(21)}b`, 256, 1, "Write narrower bounds"],
    [`${"(a|a)".repeat(21)}b`, 256, 1, "Write narrower bounds"],
    ["(?=.*.*.*x).*", 256, 1, "Write narrower bounds"],
    ["[a-z-]+(?<!-)", 256, 1, "without `(?<=` and `(?<!`"],
    [".{0,255}.{0,255}.{0,14}x", 256, 125, "Write narrower bounds"],
    [".{0,255}.{0,15}x", 256, 125, "for a list of 125 values. Write a smaller `max_items`"],
    [".*.*x", 256, 125, "for a list of 125 values"],
  ])("%s of %i characters in a list of %i", (pattern, maxLength, values, sentence) => {
    expect(patternFault(pattern, maxLength, values)).toContain(sentence);
  });
});
