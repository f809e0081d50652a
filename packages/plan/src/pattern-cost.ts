/**
 * Computes an upper bound for the steps that a backtracking matcher can take for any one value.
 *
 * For each way through a part of a pattern, the matcher tries what follows the part. A way is *dead* if the
 * next character cannot begin anything that may follow. Then the attempt fails immediately, and costs only
 * the steps that the rest of the pattern takes before it consumes a character. In `[a-z]+-[0-9]+`, the first
 * part has one way that is not dead. In `[a-z]+[a-f]+`, it has as many as there are characters.
 *
 * If only one way is not dead, no two parts consume the same character. The cost of each character is then
 * counted once for the whole value, not once for each round of a repetition. That is why `[a-z]+(-[a-z]+)*`
 * costs little.
 */
import { type AST, RegExpParser } from "@eslint-community/regexpp";
import { ANY_CHARACTER, type CharacterSet, characterSetOf, NO_CHARACTER, overlap } from "./character-set.ts";

/** The maximum cost of trying a part at one position of a value. */
interface Cost {
  /** The steps within the part, over all ways through the part. */
  readonly steps: Growth;
  /** The number of ways that are not dead. */
  readonly ways: number;
  readonly deadWays: Growth;
  /**
   * The value of `steps` if the part matches no character; `emptyWays` is the number of ways that consume
   * none.
   */
  readonly emptySteps: number;
  readonly emptyWays: number;
}

/**
 * The number `fixed + each * n`, where n is how many characters the part consumes, or looks at before it
 * fails.
 */
interface Growth {
  readonly fixed: number;
  readonly each: number;
}

const NONE: Growth = { fixed: 0, each: 0 };

/** A number of this size or more counts as unbounded. */
const ENOUGH = 1e15;
const ONE_WAY: Cost = { steps: only(1), ways: 1, deadWays: NONE, emptySteps: 1, emptyWays: 1 };

/**
 * The maximum number of steps for matching a whole value of up to `maxLength` UTF-16 code units; Infinity if
 * that is ENOUGH or more, or cannot be determined (lookbehind).
 * @throws SyntaxError if the pattern is not valid in ECMAScript 2024 with the flag u
 */
export function stepsOf(pattern: string, maxLength: number): number {
  const { alternatives } = new RegExpParser({ ecmaVersion: 2024 }).parsePattern(pattern, 0, pattern.length, {
    unicode: true,
  });
  const total = totalOf(costOfChoice(alternatives, NO_CHARACTER, maxLength), maxLength);
  return total < ENOUGH ? total : Number.POSITIVE_INFINITY;
}

/** The total steps of a part that nothing follows. */
function totalOf({ steps, ways, deadWays }: Cost, maxLength: number): number {
  return most(steps, maxLength) + ways + most(deadWays, maxLength);
}

function only(fixed: number): Growth {
  return { fixed, each: 0 };
}

/** The number that a growth reaches at this length. */
function most({ fixed, each }: Growth, length: number): number {
  return fixed + times(each, length);
}

/** Adds the growths of parts that never consume the same character. */
function join(...growths: readonly Growth[]): Growth {
  return {
    fixed: growths.reduce((sum, { fixed }) => sum + fixed, 0),
    each: Math.max(...growths.map(({ each }) => each)),
  };
}

/** Adds two growths that apply to the same characters; `b` is multiplied by `factor`. */
function plus(a: Growth, b: Growth, factor = 1): Growth {
  return { fixed: a.fixed + times(b.fixed, factor), each: a.each + times(b.each, factor) };
}

/**
 * The cost of an element.
 * @param follow every character that can begin what comes after the element
 */
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
      return { ...ONE_WAY, steps: only(maxLength), emptySteps: maxLength };
    case "Assertion": {
      if (part.kind === "lookbehind") return { ...ONE_WAY, steps: only(Number.POSITIVE_INFINITY) };
      if (part.kind !== "lookahead") return ONE_WAY;
      const total = totalOf(costOfChoice(part.alternatives, ANY_CHARACTER, maxLength), maxLength);
      return { ...ONE_WAY, steps: only(total), emptySteps: total };
    }
    default:
      return { ...ONE_WAY, steps: only(Number.POSITIVE_INFINITY) };
  }
}

function costOfChoice(
  alternatives: readonly AST.Alternative[],
  follow: CharacterSet,
  maxLength: number,
): Cost {
  const costs = alternatives.map(({ elements }) => costOfSequence(elements, follow, maxLength));
  const sum = (numberOf: (cost: Cost) => number): number =>
    costs.reduce((total, cost) => total + numberOf(cost), 0);
  const empty = {
    emptySteps: 1 + sum(({ emptySteps }) => emptySteps),
    emptyWays: sum(({ emptyWays }) => emptyWays),
  };
  const heads = alternatives.map(({ elements }) => headOf(elements, follow));
  if (!heads.every((head, index) => heads.slice(0, index).every((other) => areApart(head, other)))) {
    const steps = only(1 + sum((cost) => most(cost.steps, maxLength)));
    const deadWays = only(sum((cost) => most(cost.deadWays, maxLength)));
    return { ...empty, steps, deadWays, ways: sum(({ ways }) => ways) };
  }
  // Counts the ways that end an alternative right after its head. The next character rules these out.
  const endsOfHeads = heads.reduce(
    (total, { rest }) => total + costOfSequence(rest, follow, maxLength).emptyWays,
    0,
  );
  return {
    ...empty,
    steps: join(only(1), ...costs.map(({ steps }) => steps)),
    ways: Math.max(...costs.map(({ ways }) => ways)),
    deadWays: join(only(endsOfHeads), ...costs.map(({ deadWays }) => deadWays)),
  };
}

/** The beginning of an alternative. */
interface Head {
  /**
   * For each leading element that is always one character, the set of characters that it matches; then the
   * set for the next position, which may belong to the text after the alternative.
   */
  readonly sets: readonly CharacterSet[];
  /** The elements from the first one that is not always one character. */
  readonly rest: readonly AST.Element[];
}

function headOf(elements: readonly AST.Element[], follow: CharacterSet): Head {
  const count = elements.findIndex((element) => !isCharacter(element));
  const rest = count < 0 ? [] : elements.slice(count);
  const start = startOfSequence(rest);
  const sets = elements.slice(0, elements.length - rest.length).map((element) => startOf(element).set);
  sets.push(start.mayBeEmpty ? [...start.set, ...follow] : start.set);
  return { sets, rest };
}

function isCharacter({ type }: AST.Element): boolean {
  return type === "Character" || type === "CharacterSet" || type === "CharacterClass";
}

/**
 * Whether one of the first characters decides which of two alternatives can match. If the value ends before
 * that character, neither alternative consumes more.
 */
function areApart(a: Head, b: Head): boolean {
  return a.sets.some((set, at) => {
    const other = b.sets[at];
    return other !== undefined && !overlap(set, other);
  });
}

function costOfSequence(elements: readonly AST.Element[], follow: CharacterSet, maxLength: number): Cost {
  let rest: Cost = { ...ONE_WAY, steps: NONE, emptySteps: 0 };
  let next = follow;
  for (const element of elements.toReversed()) {
    const cost = costOf(element, next, maxLength);
    const [steps, deadWays] = growthOfPair(cost, rest, maxLength);
    rest = {
      steps,
      ways: times(cost.ways, rest.ways),
      deadWays,
      emptySteps: cost.emptySteps + times(cost.emptyWays, rest.emptySteps),
      emptyWays: times(cost.emptyWays, rest.emptyWays),
    };
    const { set, mayBeEmpty } = startOf(element);
    next = mayBeEmpty ? [...set, ...next] : set;
  }
  return rest;
}

/** The steps and dead ways of a part together with the rest of the pattern. */
function growthOfPair(part: Cost, rest: Cost, maxLength: number): readonly [steps: Growth, deadWays: Growth] {
  const steps = plus(part.steps, part.deadWays, rest.emptySteps);
  const deadWays = plus(NONE, part.deadWays, rest.emptyWays);
  if (part.ways <= 1) return [join(steps, rest.steps), join(deadWays, rest.deadWays)];
  // The ways through the part end at different positions, so the rest looks at the same characters again.
  return [
    only(most(steps, maxLength) + times(part.ways, most(rest.steps, maxLength))),
    only(most(deadWays, maxLength) + times(part.ways, most(rest.deadWays, maxLength))),
  ];
}

function costOfRepetition(
  { element, min, max }: AST.Quantifier,
  follow: CharacterSet,
  maxLength: number,
): Cost {
  const { set, mayBeEmpty } = startOf(element);
  const body = costOf(element, max > 1 ? [...set, ...follow] : follow, maxLength);
  // After `min` rounds, the matcher makes no further round that consumes no character.
  const rounds = Math.min(max, mayBeEmpty ? min + maxLength : maxLength);
  const emptyRounds = mayBeEmpty ? sumOfPowers(body.emptyWays, 0, min) : 1;
  const empty = {
    emptySteps: 1 + times(emptyRounds, body.emptySteps),
    emptyWays: mayBeEmpty ? sumOfPowers(body.emptyWays, min, min) : Number(min === 0),
  };
  const round = plus(body.steps, body.deadWays, 1 + body.emptySteps);
  if (!mayBeEmpty && body.ways <= 1 && !overlap(set, follow)) {
    // A character that begins another round cannot begin what follows, so only the last exit is not dead.
    return {
      ...empty,
      steps: join(only(1), growthOfRounds(round, rounds, maxLength)),
      ways: 1,
      deadWays: growthOfRounds(plus(only(1), body.deadWays), rounds, maxLength),
    };
  }
  const base = mayBeEmpty ? body.ways + most(body.deadWays, maxLength) : Math.max(1, body.ways);
  const tries = sumOfPowers(base, 0, rounds);
  const inAll = (growth: Growth): Growth =>
    only(
      base <= 1 && !mayBeEmpty
        ? most(growthOfRounds(growth, rounds, maxLength), maxLength)
        : times(tries, most(growth, maxLength)),
    );
  return {
    ...empty,
    steps: join(only(1), inAll(round)),
    ways: Math.max(1, sumOfPowers(base, Math.min(min, rounds), rounds)),
    deadWays: inAll(body.deadWays),
  };
}

/** The growth of rounds that each consume at least one character, including the round that fails. */
function growthOfRounds({ fixed, each }: Growth, rounds: number, maxLength: number): Growth {
  if (rounds < maxLength) return { fixed: times(rounds + 1, fixed), each };
  return { fixed, each: each + fixed };
}

interface Start {
  /** A superset of the characters with which the part can begin. */
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

/** Returns `base ** from + ... + base ** to`, or some number of at least ENOUGH if the sum exceeds ENOUGH. */
function sumOfPowers(base: number, from: number, to: number): number {
  if (base <= 1) return base === 1 ? to - from + 1 : Number(from === 0);
  let sum = 0;
  for (let exponent = from; exponent <= to && sum < ENOUGH; exponent++) sum += base ** exponent;
  return sum;
}

/** Multiplies without NaN: zero times Infinity is zero. */
function times(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b;
}
