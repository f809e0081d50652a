/** Remembers recent results of a function, within bounds. */

/** Bounds of a memo. Clients choose the keys, so everything is bounded. */
export interface MemoLimits {
  /**
   * Number of slots, a power of two. Slots form pairs; a third key for a pair replaces the older of its two
   * keys.
   */
  readonly slots: number;
  /** Longest key that is remembered, in UTF-16 units. Results for longer keys are computed each time. */
  readonly keyLength: number;
  /**
   * How long a result is remembered at most. Keys are values that clients sent, so they must not be kept for
   * longer.
   */
  readonly ageMs: number;
}

/**
 * Returns the same function with its recent results remembered. Its timer does not keep the process alive.
 * The slot depends on a few of the key's characters: a Map would hash the whole of a freshly parsed text,
 * which takes longer than comparing the text.
 */
export function memoize(compute: (key: string) => string, limits: MemoLimits): (key: string) => string {
  const { slots, keyLength, ageMs } = limits;
  const keys: (string | undefined)[] = new Array(slots).fill(undefined);
  const results: string[] = new Array(slots).fill("");
  let isEmpty = true;
  const forget = (): void => {
    keys.fill(undefined);
    results.fill("");
    isEmpty = true;
  };
  return (key) => {
    if (key.length > keyLength) return compute(key);
    const slot = slotOf(key) & (slots - 2);
    if (keys[slot] === key) return results[slot] ?? "";
    if (keys[slot + 1] === key) return results[slot + 1] ?? "";
    const result = compute(key);
    if (isEmpty) setTimeout(forget, ageMs).unref();
    isEmpty = false;
    keys[slot + 1] = keys[slot];
    results[slot + 1] = results[slot] ?? "";
    keys[slot] = key;
    results[slot] = result;
    return result;
  };
}

/**
 * Hashes the length and up to eight characters spread over the whole text, so that keys with a common prefix
 * or suffix usually get different slots.
 */
function slotOf(key: string): number {
  const { length } = key;
  const step = 1 + (length >>> 3);
  let slot = length;
  for (let at = length - 1; at >= 0; at -= step) slot = Math.imul(slot ^ key.charCodeAt(at), 0x9e3779b1);
  return slot ^ (slot >>> 15);
}
