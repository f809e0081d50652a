import { type AST, RegExpParser } from "@eslint-community/regexpp";
import fc from "fast-check";
import { expect, test } from "vitest";
import { stepsOf } from "./pattern-cost.ts";

const MAX_LENGTH = 16;
/**
 * The highest bound, in steps, of the patterns that are tried. Matching those with a higher one would take
 * too long.
 */
const PATIENCE = 4000;

const single = new Map<string, RegExp>();

function fits(part: string, character: string): boolean {
  const known = single.get(part) ?? new RegExp(`^${part}$`, "u");
  single.set(part, known);
  return known.test(character);
}

type Continue = (at: number) => boolean;

/** Matches as ECMAScript specifies, by backtracking, and counts the steps. Tries every way. */
function countSteps(pattern: string, value: string): number {
  const { alternatives } = new RegExpParser().parsePattern(pattern, 0, pattern.length, { unicode: true });
  let steps = 0;
  const matchAny = (choices: readonly AST.Alternative[], at: number, go: Continue): boolean =>
    choices.some(({ elements }) => matchAll(elements, at, go));
  const matchAll = (elements: readonly AST.Element[], at: number, go: Continue): boolean => {
    const [first, ...rest] = elements;
    return first === undefined ? go(at) : match(first, at, (next) => matchAll(rest, next, go));
  };
  const match = (part: AST.Element, at: number, go: Continue): boolean => {
    steps += 1;
    if (part.type === "Group" || part.type === "CapturingGroup") return matchAny(part.alternatives, at, go);
    if (part.type === "Quantifier") return repeat(part, 0, at, go);
    if (part.type === "Assertion" && part.kind === "lookahead")
      return matchAny(part.alternatives, at, () => true) !== part.negate && go(at);
    const character = value[at];
    return character !== undefined && fits(part.raw, character) && go(at + 1);
  };
  const repeat = (part: AST.Quantifier, round: number, at: number, go: Continue): boolean => {
    const again = (): boolean =>
      round < part.max &&
      match(part.element, at, (next) =>
        next === at && round >= part.min ? false : repeat(part, round + 1, next, go),
      );
    const leave = (): boolean => round >= part.min && go(at);
    return part.greedy ? again() || leave() : leave() || again();
  };
  // Always fails, so that every way is tried, as for the worst value.
  matchAny(alternatives, 0, () => {
    steps += 1;
    return false;
  });
  return steps;
}

const { pattern: patterns } = fc.letrec<{ pattern: string; sequence: string; part: string }>((tie) => ({
  pattern: fc.array(tie("sequence"), { minLength: 1, maxLength: 3 }).map((choices) => choices.join("|")),
  sequence: fc.array(tie("part"), { maxLength: 4 }).map((parts) => parts.join("")),
  part: fc
    .tuple(
      fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        {
          weight: 8,
          arbitrary: fc.constantFrom(
            "a",
            "a",
            "a",
            "b",
            "-",
            "[ab]",
            "[^a]",
            ".",
            "[b-c]",
            "\\w",
            "\\W",
            "\\p{L}",
            "(?:ab|aa)",
            "(?:a|ab|b-)",
            "(?:aab|aa-|ba?)",
            "(?:-[ab]+)",
            "(?:[ab]+-)",
          ),
        },
        { weight: 2, arbitrary: tie("pattern").map((inner) => `(?:${inner})`) },
        { weight: 1, arbitrary: tie("pattern").map((inner) => `(?=${inner})`) },
      ),
      fc.constantFrom("", "", "", "?", "*", "+", "{2}", "{0,3}", "{1,2}", "{2,}", "*?", "+?"),
    )
    .map(([part, quantifier]) => (part.startsWith("(?=") ? part : part + quantifier)),
}));
const WORST = ["a".repeat(16), "aab".repeat(5), "a".repeat(8) + "b".repeat(8), "a-".repeat(8)];
const values = fc
  .array(fc.constantFrom("a", "b", "c", "-"), { maxLength: MAX_LENGTH })
  .map((characters) => characters.join(""));

test("no value takes more steps than the bound", () => {
  fc.assert(
    fc.property(patterns, values, (pattern, value) => {
      const bound = stepsOf(pattern, MAX_LENGTH);
      fc.pre(bound <= PATIENCE);
      const most = Math.max(...[value, ...WORST].map((tried) => countSteps(pattern, tried)));
      expect(most).toBeLessThanOrEqual(2 * bound);
    }),
    { numRuns: 1500 },
  );
});

test.each([
  ["(?:aa){0,8}b", "a".repeat(16)],
  ["(?:a[ab]a[ab]a){3}", "a".repeat(15)],
  ["(?:a|ab|abb|abbb|abbbb)(?:x|y|z|w|v|u|t|s|r|q|p|o|n|m)", "abbbb"],
  ["(?:a|b|ab|)", ""],
  ["[ab]*(?:a*|b*|-*)", "ab"],
])("%s takes no more steps for %j than the bound", (pattern, value) => {
  expect(countSteps(pattern, value)).toBeLessThanOrEqual(2 * stepsOf(pattern, MAX_LENGTH));
});

test.each([
  ["[a-z]{2,16}", 40],
  ["[0-9]+[.][0-9]+[.][0-9]+", 2000],
  ["[0-9]{1,3}(-beta[.][0-9]{1,3})?", 100],
  ["(?:GET|POST|PUT) /", 40],
  ["[a-z]+(-[a-z]+)*", 4000],
  ["(?:feat|feature|fix)(?:,(?:feat|feature|fix))*", 12_000],
])("the bound of %s is at most %i steps", (pattern, most) => {
  expect(stepsOf(pattern, 256)).toBeLessThanOrEqual(most);
});

test.each([
  "(?:a|a)*b",
  "(?:a+)+b",
  "(?:aa|a)*b",
  "(?:foo|bar|foobar)*x",
  "(?:a|b|)*(?:ab)*c",
  "(?:a[bc]|ab)*d",
  "(?<=a)b",
])("%s has no bound", (pattern) => {
  expect(stepsOf(pattern, 256)).toBe(Number.POSITIVE_INFINITY);
});
