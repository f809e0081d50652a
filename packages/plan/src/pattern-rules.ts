/** Checks that a plan's patterns are valid, and cheap to match whatever values clients send. */

import { isRecord } from "@candor/envelope/unknown-value";
import type { Path, Report } from "./document.ts";
import { stepsOf } from "./pattern-cost.ts";
import { DEFAULT_MAX_ITEMS, DEFAULT_MAX_LENGTH, PLAN_SOURCES, type PlanSourceName } from "./plan.ts";

/** The maximum number of steps for all patterns of one message, whatever its values: about 10 ms. */
const MAX_STEPS = 1_000_000;

/** The maximum number of steps for matching one value, or why the pattern is invalid. */
type PatternReading =
  | { readonly steps: number; readonly fault: undefined }
  | { readonly steps: undefined; readonly fault: string };

/**
 * Analyses a pattern. A reader from `createPatternReader` caches the results, because plans repeat patterns,
 * and the cost is needed for the field and for the event.
 */
export type PatternReader = (pattern: string, maxLength: number) => PatternReading;

export function createPatternReader(): PatternReader {
  const known = new Map<string, PatternReading>();
  return (pattern, maxLength) => {
    const key = `${maxLength} ${pattern}`;
    const reading = known.get(key) ?? readPattern(pattern, maxLength);
    known.set(key, reading);
    return reading;
  };
}

function readPattern(pattern: string, maxLength: number): PatternReading {
  try {
    const steps = stepsOf(pattern, maxLength);
    // V8 compiles a pattern when it is first used, so a pattern that is too large for V8 fails only then.
    new RegExp(`^(?:${pattern})$`, "u").test("a");
    return { steps, fault: undefined };
  } catch (error) {
    return { steps: undefined, fault: explainSyntaxError(pattern, error) };
  }
}

/** What to write instead, by the reason of the SyntaxError. */
const SYNTAX_CURES: Readonly<Record<string, string>> = {
  "Unterminated group": "Close the group with `)`, or write `[(]` for the character itself.",
  "Unmatched ')'": "Remove this `)`, or write `[)]` for the character itself.",
  "Unterminated character class": "Close the class with `]`, or write `\\[` for the character itself.",
  "Lone quantifier brackets": "Write `[{]`, `[}]` or `\\]` for the character itself.",
  "Incomplete quantifier": "Write `{2}` or `{1,3}`, or `[{]` for the character itself.",
  "Nothing to repeat":
    "Write what is repeated before `*`, `+`, `?` or `{`, or `[*]` for the character itself.",
  "numbers out of order in {} quantifier": "Write the smaller number first, as in `{1,3}`.",
  "Range out of order in character class": "Write the lower character first, as in `[a-z]`.",
  "Invalid character class": "A range needs a character on either side. Write `-` last, as in `[a-z-]`.",
  "Invalid escape":
    "Only characters with a meaning of their own take a backslash, and a group cannot be repeated by number. Write the character alone, or in brackets, as in `[.]`.",
  "Invalid group":
    "Write `(?:...)` or `(...)`. Flags such as `(?i)` are not supported: write both cases, as in `[Aa]`.",
  "Invalid capture group name": "Groups need no name. Write `(...)`.",
  "Duplicate capture group name": "Groups need no name. Write `(...)`.",
  "Invalid property name": "Write a property of Unicode, as in `\\p{L}`.",
  "Invalid named capture referenced": "A group cannot be repeated by name. Write it out again.",
};

/**
 * Syntax that JavaScript lacks but other languages have: the reason of the SyntaxError, what precedes or
 * follows its position, and what to write instead.
 */
const FOREIGN_CURES: readonly {
  readonly reason: string;
  readonly before?: RegExp;
  readonly after?: RegExp;
  readonly cure: string;
}[] = [
  {
    reason: "Lone quantifier brackets",
    before: /\[\[:\^?[a-z]+:\][^\]]*$/,
    cure: "Classes such as `[:alpha:]` are not supported. Write the characters, as in `[A-Za-z]`.",
  },
  {
    reason: "Invalid escape",
    after: /^[AZz]/,
    cure: "A pattern always matches the whole value. Leave out `\\A`, `\\Z` and `\\z`.",
  },
  {
    reason: "Nothing to repeat",
    before: /[*+?}]\+$/,
    cure: "Possessive repetition is not supported. Write one `+`, `*`, `?` or `{...}`.",
  },
  { reason: "Invalid group", after: /^\?>/, cure: "Atomic groups are not supported. Write `(?:...)`." },
  { reason: "Invalid group", after: /^\?P</, cure: "Groups need no name. Write `(...)`." },
  { reason: "Invalid group", after: /^\?#/, cure: "Comments are not supported. Remove the group." },
];

/**
 * Explains a SyntaxError. The message, `Invalid regular expression: /a(/u: Unterminated group`, quotes the
 * pattern and ends with the reason.
 */
function explainSyntaxError(pattern: string, error: unknown): string {
  const reason = error instanceof Error ? (error.message.split(": ").at(-1) ?? "") : "";
  const index = error instanceof Error && "index" in error ? Number(error.index) : undefined;
  const at = index === undefined ? "" : ` at character ${index + 1}`;
  const cure =
    cureOfForeign(pattern, reason, index) ??
    SYNTAX_CURES[reason] ??
    "Write it as in JavaScript (ECMAScript 2024, flag `u`).";
  return `This regular expression is invalid${at}: ${reason.replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase())}. ${cure}`;
}

function cureOfForeign(pattern: string, reason: string, index = pattern.length): string | undefined {
  const [head, rest] = [pattern.slice(0, index), pattern.slice(index)];
  return FOREIGN_CURES.find(
    (foreign) =>
      foreign.reason === reason &&
      (foreign.before?.test(head) ?? true) &&
      (foreign.after?.test(rest) ?? true),
  )?.cure;
}

/**
 * Returns what is wrong with a `pattern`, and what to write instead; undefined if nothing is wrong.
 * @param values how many values of one message the pattern checks: `max_items` for an array
 */
export function patternFault(
  pattern: string,
  maxLength = DEFAULT_MAX_LENGTH,
  values = 1,
  read: PatternReader = readPattern,
): string | undefined {
  const { steps, fault } = read(pattern, maxLength);
  if (fault !== undefined) return fault;
  if (/\(\?<[=!]/.test(pattern) && steps === Number.POSITIVE_INFINITY)
    return "The cost of a lookbehind cannot be determined. Write the pattern without `(?<=` and `(?<!`.";
  if (steps * values <= MAX_STEPS) return undefined;
  if (steps > MAX_STEPS)
    return "This regular expression could take very long: neighbouring repetitions, or alternatives of a repeated group, can match the same characters. Write narrower bounds (`{1,16}` for `+`), a character between two repetitions that neither matches, or a smaller `max_length`.";
  return `This regular expression could take very long for a list of ${values} values. Write a smaller \`max_items\` or \`max_length\`, or narrower bounds (\`{1,16}\` for \`+\`).`;
}

export type PatternCosts = readonly PatternCost[];
export type SharedCosts = ReadonlyMap<PlanSourceName, PatternCosts>;

interface PatternCost {
  readonly path: Path;
  readonly steps: number;
}

/**
 * The costs of the patterns in each source's `context` and `ids`, which count for every message of the
 * source.
 */
export function listSharedCosts(sources: unknown, read: PatternReader): SharedCosts {
  if (!isRecord(sources)) return new Map();
  return new Map(
    PLAN_SOURCES.map((name) => {
      const source = sources[name];
      const blocks = isRecord(source) ? [source.context, source.ids] : [];
      return [name, blocks.flatMap((block) => listCosts(block, [], read))];
    }),
  );
}

/**
 * Checks that all patterns of an event's message together stay within the cost limit for one message.
 * @param shared from `listSharedCosts`, for each source of the event
 */
export function checkPatternSum(
  own: { readonly block: unknown; readonly path: Path },
  shared: readonly PatternCosts[],
  read: PatternReader,
  report: Report,
): void {
  const costs = listCosts(own.block, own.path, read);
  const dearest = costs.toSorted((a, b) => b.steps - a.steps)[0];
  // A pattern that alone is too expensive is reported at its own place.
  if (dearest === undefined || [...costs, ...shared.flat()].some(({ steps }) => steps > MAX_STEPS)) return;
  if (sumOf(costs) + Math.max(0, ...shared.map(sumOf)) <= MAX_STEPS) return;
  report(
    dearest.path,
    "The patterns of this event could take very long together, with those of its source's `context` and `ids`; this one takes the longest. Write narrower bounds (`{1,16}` for `+`), or a smaller `max_length`.",
  );
}

function sumOf(costs: PatternCosts): number {
  return costs.reduce((sum, { steps }) => sum + steps, 0);
}

/** The costs of the patterns in a block of fields of the file. Malformed fields are skipped. */
function listCosts(block: unknown, path: Path, read: PatternReader): PatternCosts {
  if (!isRecord(block)) return [];
  return Object.entries(block).flatMap(([name, field]) => {
    if (!isRecord(field)) return [];
    const at = [...path, name];
    if (field.type === "object") return listCosts(field.fields, [...at, "fields"], read);
    if (field.type !== "array") return costOf(field, at, 1, read);
    const values = typeof field.max_items === "number" ? field.max_items : DEFAULT_MAX_ITEMS;
    return isRecord(field.items) ? costOf(field.items, [...at, "items"], values, read) : [];
  });
}

function costOf(
  { pattern, max_length = DEFAULT_MAX_LENGTH }: { readonly [key: string]: unknown },
  path: Path,
  values: number,
  read: PatternReader,
): PatternCosts {
  if (typeof pattern !== "string" || typeof max_length !== "number") return [];
  const { steps } = read(pattern, max_length);
  return steps === undefined ? [] : [{ path: [...path, "pattern"], steps: steps * values }];
}
