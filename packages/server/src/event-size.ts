/** What a string of JSON has at most for each of its UTF-16 units: `\\u001f`. */
const MAX_BYTES_PER_CHAR = 6;
/** Quotes, colon, comma and a number or a word. */
const MAX_BYTES_BESIDE = 32;
/** Fields that are not kept have not been walked: what is nested deeper than this is measured. */
const MAX_LEVELS = 64;

/**
 * Whether the value could have more bytes than the limit as JSON: a cheap walk that ends as soon as it is possible, to
 * spare nearly every message an exact measurement.
 */
export function mayExceed(value: unknown, limitBytes: number): boolean {
  return roomLeft(value, limitBytes, 1) < 0;
}

function roomLeft(value: unknown, room: number, level: number): number {
  if (level > MAX_LEVELS) return Number.NEGATIVE_INFINITY;
  if (typeof value === "string") return room - value.length * MAX_BYTES_PER_CHAR - MAX_BYTES_BESIDE;
  let left = room - MAX_BYTES_BESIDE;
  if (typeof value !== "object" || value === null) return left;
  const entries = value as { readonly [key: string]: unknown }; // an array's places are keys like others
  for (const key in entries) {
    if (left < 0) return left;
    left = roomLeft(entries[key], left - key.length * MAX_BYTES_PER_CHAR, level + 1);
  }
  return left;
}

/** Whether the value has more bytes than the limit as JSON; also what is nested too deep to be written. */
export function exceeds(value: unknown, limitBytes: number): boolean {
  try {
    return Buffer.byteLength(JSON.stringify(value)) > limitBytes;
  } catch {
    return true;
  }
}
