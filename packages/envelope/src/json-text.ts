/**
 * Reads JSON text such that every reader of what is written from it reads the same.
 *
 * JSON allows half of a surrogate pair (`"\ud83d"`, a text cut inside an emoji). JavaScript takes it; the store's reader
 * rejects the whole document. It is repaired before parsing, as `toWellFormed` would: U+FFFD stands in its place.
 */

/** Any escape; a surrogate pair counts as one. */
const ESCAPE = /\\(?:u[dD][89abAB][\dA-Fa-f]{2}\\u[dD][c-fC-F][\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|.)/gs;
const SURROGATE_ESCAPE = /^\\u[dD][89a-fA-F]..$/;
const REPLACEMENT = "\\ufffd";

/** The value of a JSON text, in which every string and every key is well-formed. @throws SyntaxError */
export function parseJson(text: string): unknown {
  return JSON.parse(mayHoldSurrogates(text) ? repairSurrogates(text) : text);
}

/** Raw text that was UTF-8 has none: only an escape can make one. */
function mayHoldSurrogates(text: string): boolean {
  return text.includes("\\ud") || text.includes("\\uD");
}

function repairSurrogates(text: string): string {
  return text.replace(ESCAPE, (found) => (SURROGATE_ESCAPE.test(found) ? REPLACEMENT : found));
}
