/** Hashes a source and messageId to a dedupe key. */
/**
 * The dedupe key of a message: 64 bits of (source, messageId), as two 32-bit words in `keys[2 * index]` and the next.
 * Only such hashes outlive a drained message, so the seed (random, kept with the data folder) is hashed first:
 * without it a hash cannot be looked up in a dictionary. With 100 million live keys, the chance that a new message
 * collides with another is 5 in a trillion.
 *
 * Not a cryptographic hash: crafting collisions would require other people's messageIds, which could just as well be
 * sent. It only has to be evenly distributed, which key-set.test.ts shows.
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
  hi ^= 0x9e3779b9; // keeps source and messageId apart
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
