/** What a memo may hold. Clients choose the keys, so all of it is bounded. */
export interface MemoLimits {
  /** A power of two. Two keys share a pair of slots; a third takes the place of the older one. */
  readonly slots: number;
  /** In UTF-16 units; longer ones are computed each time. */
  readonly keyLength: number;
  /** How long a value is remembered at most: keys are what clients sent, and are not kept for their own sake. */
  readonly ageMs: number;
}

/**
 * The same function, with its recent results remembered. Its timer keeps no process alive. A few of the key's characters
 * choose its slot: a Map would hash the whole of a text that was just parsed, which takes longer than comparing it.
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

/** From characters all over the text, so that keys with a common beginning or end get different slots. */
function slotOf(key: string): number {
  const { length } = key;
  const step = 1 + (length >>> 3);
  let slot = length;
  for (let at = length - 1; at >= 0; at -= step) slot = Math.imul(slot ^ key.charCodeAt(at), 0x9e3779b1);
  return slot ^ (slot >>> 15);
}
