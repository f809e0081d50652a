/** Checks `pattern`s, and what the patterns of a whole message can cost. */
import type { Path, Report } from "./document.ts";
import { stepsOf } from "./pattern-cost.ts";
import { DEFAULT_MAX_ITEMS, DEFAULT_MAX_LENGTH, PLAN_SOURCES, type PlanSourceName } from "./plan.ts";
import { isRecord } from "./structure.ts";

/** Steps for all patterns of one message, whatever its values: about 10 ms. */
const MAX_STEPS = 1_000_000;

/**
 * What is wrong with a `pattern`: it does not compile, or hostile values could make it run too long. Otherwise
 * undefined.
 * @param values how many values of one message it checks: `max_items` of an array
 */
export function patternFault(
  pattern: string,
  maxLength = DEFAULT_MAX_LENGTH,
  values = 1,
): string | undefined {
  const steps = readSteps(pattern, maxLength);
  if (steps === undefined)
    return "This is no regular expression of JavaScript (ECMAScript 2024, flag u). Mend it; write `\\\\` in double quotes, or use single quotes.";
  if (/\(\?<[=!]/.test(pattern) && steps === Number.POSITIVE_INFINITY)
    return "What a lookbehind costs cannot be told. Write the pattern without `(?<=` and `(?<!`.";
  if (steps * values <= MAX_STEPS) return undefined;
  if (steps > MAX_STEPS)
    return "This regular expression could take very long: neighbouring repetitions, or alternatives of a repeated group, can take the same characters. Write narrower bounds (`{1,16}` for `+`), a character between two repetitions that neither takes, or a smaller `max_length`.";
  return `This regular expression could take very long for a list of ${values} values. Write a smaller \`max_items\` or \`max_length\`, or narrower bounds (\`{1,16}\` for \`+\`).`;
}

export type PatternCosts = readonly PatternCost[];
export type SharedCosts = ReadonlyMap<PlanSourceName, PatternCosts>;

/**
 * The cost of the patterns of each source's `context` and `ids`: every message of the source carries those as well.
 */
export function listSharedCosts(sources: unknown): SharedCosts {
  if (!isRecord(sources)) return new Map();
  return new Map(
    PLAN_SOURCES.map((name) => {
      const source = sources[name];
      const blocks = isRecord(source) ? [source.context, source.ids] : [];
      return [name, blocks.flatMap((block) => listCosts(block, []))];
    }),
  );
}

/**
 * Checks that all patterns of an event's message stay within what one message may cost.
 * @param shared from `listSharedCosts`, for each source of the event
 */
export function checkPatternSum(
  own: { readonly block: unknown; readonly path: Path },
  shared: readonly PatternCosts[],
  report: Report,
): void {
  const costs = listCosts(own.block, own.path);
  const dearest = costs.toSorted((a, b) => b.steps - a.steps)[0];
  // A pattern that is too expensive by itself is reported at its own place.
  if (dearest === undefined || [...costs, ...shared.flat()].some(({ steps }) => steps > MAX_STEPS)) return;
  if (sumOf(costs) + Math.max(0, ...shared.map(sumOf)) <= MAX_STEPS) return;
  report(
    dearest.path,
    "The patterns of this event could take very long together, with those of its source's `context` and `ids`; this one the longest. Write narrower bounds (`{1,16}` for `+`), or a smaller `max_length`.",
  );
}

function sumOf(costs: PatternCosts): number {
  return costs.reduce((sum, { steps }) => sum + steps, 0);
}

interface PatternCost {
  readonly path: Path;
  readonly steps: number;
}

/** The costs of a block of fields, as written in the file. Malformed fields are skipped. */
function listCosts(block: unknown, path: Path): PatternCosts {
  if (!isRecord(block)) return [];
  return Object.entries(block).flatMap(([name, field]) => {
    if (!isRecord(field)) return [];
    const at = [...path, name];
    if (field.type === "object") return listCosts(field.fields, [...at, "fields"]);
    if (field.type !== "array") return costOf(field, at, 1);
    const values = typeof field.max_items === "number" ? field.max_items : DEFAULT_MAX_ITEMS;
    return isRecord(field.items) ? costOf(field.items, [...at, "items"], values) : [];
  });
}

function costOf(
  { pattern, max_length = DEFAULT_MAX_LENGTH }: { readonly [key: string]: unknown },
  path: Path,
  values: number,
): PatternCosts {
  if (typeof pattern !== "string" || typeof max_length !== "number") return [];
  const steps = readSteps(pattern, max_length);
  return steps === undefined ? [] : [{ path: [...path, "pattern"], steps: steps * values }];
}

/** Undefined if it is not a regular expression. */
function readSteps(pattern: string, maxLength: number): number | undefined {
  try {
    // V8 compiles at the first use, so a pattern that is too large for it fails only then.
    new RegExp(`^(?:${pattern})$`, "u").test("a");
    return stepsOf(pattern, maxLength);
  } catch {
    return undefined;
  }
}
