/**
 * Generates the demo's random numbers and choices. They depend only on a name, so they are the same on every
 * machine.
 */

export interface Random {
  /** A number of at least 0 and less than 1. */
  readonly next: () => number;
  readonly isLikely: (probability: number) => boolean;
  /** A number of at least `least` and less than `most`. */
  readonly between: (least: number, most: number) => number;
  readonly wholeBetween: (least: number, most: number) => number;
  /** A factor whose median is 1. @param spread with 0.5, 95% of the factors are from 0.37 to 2.7 */
  readonly factor: (spread: number) => number;
  /** Picks a value, each with the same probability. @throws Error if the list is empty */
  readonly pick: <Value>(values: readonly Value[]) => Value;
  /** Picks a row with a probability in proportion to its weight. @throws Error if the table is empty */
  readonly pickRow: <Row extends { readonly weight: number }>(rows: readonly Row[]) => Row;
  /** Lower-case hex digits. */
  readonly hex: (digits: number) => string;
  readonly uuid: () => string;
}

/** Creates a generator. @param name such as `1/instance/17`; each name has its own sequence */
export function createRandom(name: string): Random {
  const next = mulberry32(hashOf(name));
  const pick = <Value>(values: readonly Value[]): Value =>
    orThrow(values[Math.floor(next() * values.length)]);
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join("");
  return {
    next,
    isLikely: (probability) => next() < probability,
    between: (least, most) => least + next() * (most - least),
    wholeBetween: (least, most) => Math.floor(least + next() * (most - least + 1)),
    factor: (spread) => Math.exp(spread * gauss(next)),
    pick,
    pickRow: (rows) => {
      let left = next() * rows.reduce((sum, { weight }) => sum + weight, 0);
      const isIt = (weight: number): boolean => {
        left -= weight;
        return left < 0;
      };
      return orThrow(rows.find(({ weight }) => isIt(weight)) ?? rows.at(-1));
    },
    hex,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${pick(["8", "9", "a", "b"])}${hex(3)}-${hex(12)}`,
  };
}

/** A normally distributed number, by Box and Muller. */
function gauss(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** A 32-bit hash of a text (FNV-1a). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const unit of Buffer.from(text)) hash = Math.imul(hash ^ unit, 0x01000193);
  return hash >>> 0;
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function orThrow<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("there is nothing to pick from");
  return value;
}
