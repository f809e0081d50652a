const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/**
 * Whether a JSON text nests deeper than a number of levels: one pass over its bytes. Reading a megabyte of brackets would
 * hold up the product's other requests for half a second.
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
