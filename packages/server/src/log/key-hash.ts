/** Hashes a source and a messageId to a dedupe key. */

/**
 * Computes the dedupe key of a message: a 64-bit hash of (source, messageId), stored as two 32-bit words at
 * `keys[2 * index]` and the next index. After a message has been drained, the collector itself keeps only
 * this hash of it. The seed, which is random and stored in the data folder, is therefore hashed first:
 * without it, a hash cannot be looked up in a table of known ids. With 100 million keys remembered, the
 * chance that a new message collides with one of them is 5 in a trillion.
 *
 * The hash only has to be evenly distributed, which key-set.test.ts checks. It need not be cryptographic: to
 * craft a collision, an attacker would have to know other people's messageIds, and could then simply send
 * those.
 */
export function hashKey(
  keys: Uint32Array,
  index: number,
  source: string,
  messageId: string,
  seed: KeySeed,
): void {
  let hi = seed[0] | 0;
  let lo = seed[1] | 0;
  for (let i = 0; i < source.length; i++) {
    hi = Math.imul(rotate(hi ^ source.charCodeAt(i), 15), 0x85ebca6b) ^ lo;
    lo = Math.imul(rotate(lo ^ source.charCodeAt(i), 13), 0xc2b2ae35) + hi;
  }
  hi ^= 0x9e3779b9; // separates the source from the messageId
  for (let i = 0; i < messageId.length; i++) {
    const code = messageId.charCodeAt(i);
    hi = Math.imul(rotate(hi ^ code, 15), 0x85ebca6b) ^ lo;
    lo = Math.imul(rotate(lo ^ code, 13), 0xc2b2ae35) + hi;
  }
  const mixedHi = mix(hi ^ rotate(lo, 16));
  const mixedLo = mix(lo ^ mixedHi);
  keys[2 * index] = mixedHi;
  keys[2 * index + 1] = mixedHi === 0 && mixedLo === 0 ? 1 : mixedLo; // 0,0 means "empty" in KeySet
}

export type KeySeed = readonly [number, number];

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** MurmurHash3's 32-bit finalizer. */
function mix(word: number): number {
  let mixed = word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
