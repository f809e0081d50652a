/** Normalises the Unicode compatibility forms that can hide an e-mail or IP address. */

/**
 * Matches the characters that NFKC turns into a character of an address, or into a letter although they are
 * not letters. Matches a whole block if its other characters do no harm. `<`, `=` and `>` with a combining
 * mark match too, because they are no longer delimiters. Forms that only make a text longer do not match:
 * NFKC turns U+FDFA into 18 characters.
 */
const HIDING =
  /[\xAA-\xBE\u0132-\u017F\u01C4-\u01F3\u02B0-\u02E3\u1D2C-\u1DBF\u1E9A\u1E9B\u2024-\u209C\u20A8\u2100-\u2189\u2460-\u24EA\u2A74\u2C7C\u2C7D\u2E9F-\u2FD5\u3036-\u303A\u3192-\u33FF\uA7F1-\uA7F4\uFB00-\uFB06\uFDFC\uFE13-\uFE6B\uFF02-\uFF5A\u{107A5}\u{1CCD6}-\u{1CCF9}\u{1D400}-\u{1D7FF}\u{1F100}-\u{1F251}\u{1FBF0}-\u{1FBF9}]+|[<=>]\p{M}+/gu;

/** Whether a text contains a form that can hide an address. */
export function hasForms(text: string): boolean {
  HIDING.lastIndex = 0;
  return HIDING.test(text);
}

/**
 * The maximum number of UTF-16 code units that NFKC makes of one of these forms. U+3316, a word in one
 * square, becomes that many.
 */
export const MAX_EXPANSION = 6;

/**
 * Replaces each form that can hide an address by its NFKC form, and keeps everything else unchanged. Time and
 * length are linear: the result is at most `MAX_EXPANSION` times as long as the text.
 * @see https://www.unicode.org/reports/tr15/
 */
export function revealForms(text: string): string {
  return text.replace(HIDING, (run) => run.normalize("NFKC"));
}
