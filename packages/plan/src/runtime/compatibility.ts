/**
 * Undoes the Unicode compatibility forms that can hide an e-mail or IP address: those that NFKC turns into a
 * character of an address, or into a letter although they are not letters. If the rest of a block does no harm, the
 * whole block is listed. `<` with a combining mark is listed too: it is no longer a delimiter. Forms that only make a
 * text longer are not listed: NFKC makes 18 characters of U+FDFA.
 */
const HIDING =
  /[\xAA-\xBE\u0132-\u017F\u01C4-\u01F3\u02B0-\u02E3\u1D2C-\u1DBF\u1E9A\u1E9B\u2024-\u209C\u20A8\u2100-\u2189\u2460-\u24EA\u2A74\u2C7C\u2C7D\u2E9F-\u2FD5\u3036-\u303A\u3192-\u33FF\uA7F1-\uA7F4\uFB00-\uFB06\uFDFC\uFE13-\uFE6B\uFF02-\uFF5A\u{107A5}\u{1CCD6}-\u{1CCF9}\u{1D400}-\u{1D7FF}\u{1F100}-\u{1F251}\u{1FBF0}-\u{1FBF9}]+|[<=>]\p{M}+/gu;

/** Whether a text has one of those forms. */
export function hasForms(text: string): boolean {
  HIDING.lastIndex = 0;
  return HIDING.test(text);
}

/** The most UTF-16 units that NFKC makes of one of those forms: U+3316, a word in one square. */
export const MAX_EXPANSION = 6;

/**
 * The text with those forms in NFKC, and everything else unchanged. Time and length are linear: at most
 * `MAX_EXPANSION` times the text's length.
 * @see https://www.unicode.org/reports/tr15/
 */
export function revealForms(text: string): string {
  return text.replace(HIDING, (run) => run.normalize("NFKC"));
}
