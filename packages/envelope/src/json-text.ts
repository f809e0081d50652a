/**
 * Reads JSON text so that every reader of what is written from it reads the same.
 *
 * JSON allows half a surrogate pair (`"\ud83d"`, a text cut inside an emoji). JavaScript takes it; the store rejects the
 * whole document. U+FFFD replaces it before the text is parsed, as `toWellFormed` would do.
 */

/** Any escape; a surrogate pair counts as one. */
const ESCAPE = /\\(?:u[dD][89abAB][\dA-Fa-f]{2}\\u[dD][c-fC-F][\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|.)/gs;
const SURROGATE_ESCAPE = /^\\u[dD][89a-fA-F]..$/;
const REPLACEMENT = "\\ufffd";

/** The value of a JSON text, in which every string and every key is well-formed. @throws SyntaxError */
export function parseJson(text: string): unknown {
  return JSON.parse(mayHoldSurrogates(text) ? repairSurrogates(text) : text);
}

/** Text that was decoded from UTF-8 has none as such: only an escape can make one. */
function mayHoldSurrogates(text: string): boolean {
  return text.includes("\\ud") || text.includes("\\uD");
}

function repairSurrogates(text: string): string {
  return text.replace(ESCAPE, (found) => (SURROGATE_ESCAPE.test(found) ? REPLACEMENT : found));
}
