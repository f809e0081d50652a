/** Represents sets of ASCII characters as look-up tables. */

/** The number of ASCII characters. A table look-up takes at most half as long as a RegExp. */
export const ASCII = 128;
/** A plan has a few dozen distinct classes, each many times. */
const MAX_REMEMBERED = 256;

/** A table with 1 at the code of each character in the class. */
export type AsciiClass = Uint8Array;

/**
 * The ASCII characters that a RegExp class such as `[0-9a-f]`, or any other expression for one character,
 * matches.
 */
export function toAsciiClass(chars: string): AsciiClass {
  const known = remembered.get(chars);
  if (known !== undefined) return known;
  const regExp = new RegExp(`^${chars}$`, "u");
  const made = Uint8Array.from({ length: ASCII }, (_, code) =>
    regExp.test(String.fromCharCode(code)) ? 1 : 0,
  );
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(chars, made);
  return made;
}

/** The classes made so far, which nobody changes: creating one takes longer than everything else of a field. */
const remembered = new Map<string, AsciiClass>();

/** Whether two classes have a character in common. */
export function overlap(a: AsciiClass, b: AsciiClass): boolean {
  return a.some((isOf, code) => isOf === 1 && b[code] === 1);
}
