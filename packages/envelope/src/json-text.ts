/**
 * Checks how deep JSON text nests, and parses it so that every later reader of the stored value reads the
 * same value.
 *
 * JSON allows half of a surrogate pair (`"\ud83d"`, for example in a text that was cut inside an emoji).
 * JavaScript accepts it, but the store rejects the whole document. The half is replaced by U+FFFD before
 * parsing, as `toWellFormed` does.
 */

/** Matches any escape. A surrogate pair is matched as one escape. */
const ESCAPE = /\\(?:u[dD][89abAB][\dA-Fa-f]{2}\\u[dD][c-fC-F][\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|.)/gs;
const SURROGATE_ESCAPE = /^\\u[dD][89a-fA-F]..$/;
const REPLACEMENT = "\\ufffd";

/** Parses JSON text; every string and key in the result is well-formed. @throws SyntaxError */
export function parseJson(text: string): unknown {
  return JSON.parse(mayHoldSurrogates(text) ? repairSurrogates(text) : text);
}

/**
 * Whether a text may contain lone surrogates. Text decoded from UTF-8 contains none, so only an escape can
 * create one.
 */
function mayHoldSurrogates(text: string): boolean {
  return text.includes("\\ud") || text.includes("\\uD");
}

function repairSurrogates(text: string): string {
  return text.replace(ESCAPE, (found) => (SURROGATE_ESCAPE.test(found) ? REPLACEMENT : found));
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/**
 * Whether a JSON text nests deeper than `levels`. Reads the bytes once: parsing a megabyte of brackets takes
 * thirty times as long.
 */
export function nestsDeeper(json: Uint8Array, levels: number): boolean {
  let depth = 0;
  let isInText = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0;
    if (isInText) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) isInText = false;
    } else if (byte === QUOTE) isInText = true;
    else if (OPENING.has(byte)) {
      depth++;
      if (depth > levels) return true;
    } else if (CLOSING.has(byte)) depth--;
  }
  return false;
}
