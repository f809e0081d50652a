/**
 * Bounds how many steps a backtracking matcher can spend on one value, whatever the value is.
 *
 * For each way through a part of a pattern, the matcher tries what follows the part. A way is *dead* when the next
 * character cannot begin anything that may follow: the try fails at once, and costs only what the rest of the pattern
 * costs before it takes a character. `[a-z]+-[0-9]+` has one way that is not dead, `[a-z]+[a-f]+` as many as there are
 * characters.
 */
import { type AST, RegExpParser } from "@eslint-community/regexpp";
import { ANY_CHARACTER, type CharacterSet, characterSetOf, NO_CHARACTER, overlap } from "./character-set.ts";

/** The most that a part can cost when it is tried at one place of a value. */
interface Cost {
  /** Within the part, over all ways through it. */
  readonly steps: number;
  readonly ways: number;
  readonly deadWays: number;
  /** `steps` where the part can take no character, and the ways through it that take none. */
  readonly emptySteps: number;
  readonly emptyWays: number;
}

/** More than this counts as no bound at all. */
const ENOUGH = 1e15;
const ONE_WAY: Cost = { steps: 1, ways: 1, deadWays: 0, emptySteps: 1, emptyWays: 1 };

/**
 * The most steps for a value of up to `maxLength` UTF-16 units that has to match as a whole; Infinity when that
 * cannot be told (lookbehind).
 * @throws SyntaxError when the pattern is not one of ECMAScript 2024 with the flag u
 */
export function stepsOf(pattern: string, maxLength: number): number {
  const { alternatives } = new RegExpParser({ ecmaVersion: 2024 }).parsePattern(pattern, 0, pattern.length, {
    unicode: true,
  });
  const total = totalOf(costOfChoice(alternatives, NO_CHARACTER, maxLength));
  return total < ENOUGH ? total : Number.POSITIVE_INFINITY;
}

/** Of a part that nothing follows. */
function totalOf({ steps, ways, deadWays }: Cost): number {
  return steps + ways + deadWays;
}

/** @param follow every character that what comes after the part can begin with */
function costOf(part: AST.Element, follow: CharacterSet, maxLength: number): Cost {
  switch (part.type) {
    case "Character":
    case "CharacterSet":
    case "CharacterClass":
      return { ...ONE_WAY, emptyWays: 0 };
    case "Group":
    case "CapturingGroup":
      return costOfChoice(part.alternatives, follow, maxLength);
    case "Quantifier":
      return costOfRepetition(part, follow, maxLength);
    case "Backreference":
      return { ...ONE_WAY, steps: maxLength, emptySteps: maxLength };
    case "Assertion": {
      if (part.kind === "lookbehind") return { ...ONE_WAY, steps: Number.POSITIVE_INFINITY };
      if (part.kind !== "lookahead") return ONE_WAY;
      const total = totalOf(costOfChoice(part.alternatives, ANY_CHARACTER, maxLength));
      return { ...ONE_WAY, steps: total, emptySteps: total };
    }
    default:
      return { ...ONE_WAY, steps: Number.POSITIVE_INFINITY };
  }
}

function costOfChoice(
  alternatives: readonly AST.Alternative[],
  follow: CharacterSet,
  maxLength: number,
): Cost {
  const costs = alternatives.map(({ elements }) => costOfSequence(elements, follow, maxLength));
  const sum = (key: keyof Cost): number => costs.reduce((total, cost) => total + cost[key], 0);
  const emptyWays = sum("emptyWays");
  const all = { steps: 1 + sum("steps"), emptySteps: 1 + sum("emptySteps"), emptyWays };
  if (!areApart(alternatives, follow)) return { ...all, ways: sum("ways"), deadWays: sum("deadWays") };
  const ways = Math.max(...costs.map((cost) => cost.ways));
  return { ...all, ways, deadWays: sum("deadWays") + emptyWays };
}

/** Whether the next character alone decides which alternative can match. */
function areApart(alternatives: readonly AST.Alternative[], follow: CharacterSet): boolean {
  const starts = alternatives.map(({ elements }) => startOfSequence(elements));
  if (starts.filter(({ mayBeEmpty }) => mayBeEmpty).length > 1) return false;
  const sets = starts.map(({ set, mayBeEmpty }) => (mayBeEmpty ? [...set, ...follow] : set));
  return sets.every((set, index) => !sets.slice(0, index).some((other) => overlap(set, other)));
}

function costOfSequence(elements: readonly AST.Element[], follow: CharacterSet, maxLength: number): Cost {
  let rest: Cost = { ...ONE_WAY, steps: 0, emptySteps: 0 };
  let next = follow;
  for (const element of elements.toReversed()) {
    const cost = costOf(element, next, maxLength);
    rest = {
      steps: cost.steps + times(cost.ways, rest.steps) + times(cost.deadWays, rest.emptySteps),
      ways: times(cost.ways, rest.ways),
      deadWays: times(cost.ways, rest.deadWays) + times(cost.deadWays, rest.emptyWays),
      emptySteps: cost.emptySteps + times(cost.emptyWays, rest.emptySteps),
      emptyWays: times(cost.emptyWays, rest.emptyWays),
    };
    const { set, mayBeEmpty } = startOf(element);
    next = mayBeEmpty ? [...set, ...next] : set;
  }
  return rest;
}

function costOfRepetition(
  { element, min, max }: AST.Quantifier,
  follow: CharacterSet,
  maxLength: number,
): Cost {
  const { set, mayBeEmpty } = startOf(element);
  const body = costOf(element, max > 1 ? [...set, ...follow] : follow, maxLength);
  // Once `min` rounds are made, the matcher makes no round that takes no character.
  const rounds = Math.min(max, mayBeEmpty ? min + maxLength : maxLength);
  const emptyRounds = mayBeEmpty ? sumOfPowers(body.emptyWays, 0, min) : 1;
  const empty = {
    emptySteps: 1 + times(emptyRounds, body.emptySteps),
    emptyWays: mayBeEmpty ? sumOfPowers(body.emptyWays, min, min) : Number(min === 0),
  };
  const round = body.steps + times(body.deadWays, 1 + body.emptySteps);
  if (!mayBeEmpty && body.ways <= 1 && !overlap(set, follow)) {
    // A character that begins another round begins nothing that follows: only the last exit is not dead.
    const steps = 1 + times(rounds + 1, round);
    return { ...empty, steps, ways: 1, deadWays: rounds + 1 + times(rounds, body.deadWays) };
  }
  const base = mayBeEmpty ? body.ways + body.deadWays : Math.max(1, body.ways);
  const tries = sumOfPowers(base, 0, rounds);
  return {
    ...empty,
    steps: 1 + times(tries, round),
    ways: Math.max(1, sumOfPowers(base, Math.min(min, rounds), rounds)),
    deadWays: times(tries, body.deadWays),
  };
}

interface Start {
  /** At least the characters that it can begin with. */
  readonly set: CharacterSet;
  readonly mayBeEmpty: boolean;
}

function startOf(part: AST.Element): Start {
  switch (part.type) {
    case "Group":
    case "CapturingGroup": {
      const starts = part.alternatives.map(({ elements }) => startOfSequence(elements));
      return {
        set: starts.flatMap(({ set }) => set),
        mayBeEmpty: starts.some(({ mayBeEmpty }) => mayBeEmpty),
      };
    }
    case "Quantifier": {
      const { set, mayBeEmpty } = startOf(part.element);
      return { set, mayBeEmpty: mayBeEmpty || part.min === 0 };
    }
    case "Assertion":
      return { set: NO_CHARACTER, mayBeEmpty: true };
    case "Backreference":
      return { set: ANY_CHARACTER, mayBeEmpty: true };
    default:
      return { set: characterSetOf(part), mayBeEmpty: false };
  }
}

function startOfSequence(elements: readonly AST.Element[]): Start {
  let set = NO_CHARACTER;
  for (const element of elements) {
    const start = startOf(element);
    set = [...set, ...start.set];
    if (!start.mayBeEmpty) return { set, mayBeEmpty: false };
  }
  return { set, mayBeEmpty: true };
}

/** `base ** from + ... + base ** to`. */
function sumOfPowers(base: number, from: number, to: number): number {
  if (base <= 1) return base === 1 ? to - from + 1 : Number(from === 0);
  let sum = 0;
  for (let exponent = from; exponent <= to && sum < ENOUGH; exponent++) sum += base ** exponent;
  return sum;
}

/** Without NaN: zero times Infinity is zero. */
function times(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b;
}
