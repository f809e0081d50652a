/** Computes which characters a part of a pattern can match, as ranges of code points. */
import type { AST } from "@eslint-community/regexpp";

/** Ranges of code points, including both ends. */
export type CharacterSet = readonly (readonly [least: number, most: number])[];

const LAST = 0x10ffff;
export const NO_CHARACTER: CharacterSet = [];
export const ANY_CHARACTER: CharacterSet = [[0, LAST]];

const DIGITS: CharacterSet = [[48, 57]];
const WORD_CHARACTERS: CharacterSet = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
];
/** The characters that `\s` matches: WhiteSpace and LineTerminator of ECMAScript. */
const SPACES: CharacterSet = [
  [9, 13],
  [32, 32],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];

type Single = AST.Character | AST.CharacterSet | AST.CharacterClass | AST.CharacterClassRange;

/** The characters that a part of a pattern matches, or a superset of them. */
export function characterSetOf(part: AST.QuantifiableElement | Single): CharacterSet {
  switch (part.type) {
    case "Character":
      return [[part.value, part.value]];
    case "CharacterClassRange":
      return [[part.min.value, part.max.value]];
    case "CharacterSet":
      if (part.kind === "any" || part.kind === "property") return ANY_CHARACTER;
      return negateIf(part.negate, { digit: DIGITS, word: WORD_CHARACTERS, space: SPACES }[part.kind]);
    case "CharacterClass": {
      const elements = part.elements as readonly Single[];
      const isExact = elements.every(
        (element) => element.type !== "CharacterSet" || element.kind !== "property",
      );
      return isExact ? negateIf(part.negate, elements.flatMap(characterSetOf)) : ANY_CHARACTER;
    }
    default:
      return ANY_CHARACTER;
  }
}

export function overlap(a: CharacterSet, b: CharacterSet): boolean {
  return a.some(([least, most]) => b.some(([from, to]) => from <= most && least <= to));
}

function negateIf(negate: boolean, set: CharacterSet): CharacterSet {
  if (!negate) return set;
  const rest: [number, number][] = [];
  let next = 0;
  for (const [least, most] of set.toSorted(([a], [b]) => a - b)) {
    if (least > next) rest.push([next, least - 1]);
    next = Math.max(next, most + 1);
  }
  return next > LAST ? rest : [...rest, [next, LAST]];
}
