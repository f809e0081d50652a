/**
 * Undoes the Unicode compatibility forms behind which an address can hide: those that stand for a character which
 * tells an e-mail or IP address, or for a letter where no letter is seen. Whole blocks, where the rest of a block does
 * no harm; and `<` with a mark, which is no longer a delimiter. Not what only costs: U+FDFA is one character, and 18
 * after NFKC.
 */
const HIDING =
  /[\xAA-\xBE\u0132-\u017F\u01C4-\u01F3\u02B0-\u02E3\u1D2C-\u1DBF\u1E9A\u1E9B\u2024-\u209C\u20A8\u2100-\u2189\u2460-\u24EA\u2A74\u2C7C\u2C7D\u2E9F-\u2FD5\u3036-\u303A\u3192-\u33FF\uA7F1-\uA7F4\uFB00-\uFB06\uFDFC\uFE13-\uFE6B\uFF02-\uFF5A\u{107A5}\u{1CCD6}-\u{1CCF9}\u{1D400}-\u{1D7FF}\u{1F100}-\u{1F251}\u{1FBF0}-\u{1FBF9}]+|[<=>]\p{M}+/gu;

/** Whether there is one of those forms in a text. */
export function hasForms(text: string): boolean {
  HIDING.lastIndex = 0;
  return HIDING.test(text);
}

/** The most characters (UTF-16 units) that NFKC makes of one of those: U+3316, a word in one square. */
export const MAX_EXPANSION = 6;

/**
 * The text with those forms in NFKC, and everything else as it is. Time and length are linear: at most
 * `MAX_EXPANSION` times the text's length.
 * @see https://www.unicode.org/reports/tr15/
 */
export function revealForms(text: string): string {
  return text.replace(HIDING, (run) => run.normalize("NFKC"));
}
