/** Represents sets of ASCII characters as look-up tables. */

/**
 * The number of ASCII characters, which is the length of a table. A look-up in a table takes at most half as
 * long as a RegExp.
 */
export const ASCII = 128;
/** The maximum number of cached tables. A plan has only a few dozen distinct classes. */
const MAX_REMEMBERED = 256;

/** A table with 1 at the code of each character in the class. */
export type AsciiClass = Uint8Array;

/** Caches the tables, because making one takes 128 RegExp tests. Callers must not change them. */
const remembered = new Map<string, AsciiClass>();

/**
 * Returns the table of the ASCII characters that a RegExp class such as `[0-9a-f]`, or any other expression
 * for one character, matches.
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

/** Whether two classes have a character in common. */
export function overlap(a: AsciiClass, b: AsciiClass): boolean {
  return a.some((isOf, code) => isOf === 1 && b[code] === 1);
}
