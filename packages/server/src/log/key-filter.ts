/** Implements a Bloom filter that is consulted before the key files. */

const WORDS_PER_BLOCK = 16; // 64 bytes, one cache line
const BITS_PER_KEY = 20;
const PROBES = 7;
const MIN_CAPACITY_KEYS = 1 << 20;

/**
 * A blocked Bloom filter: answers "definitely not" or "perhaps" for a 64-bit key, reading one cache line.
 * Saves nearly every new message a disk read. When full, it uses 2.5 bytes per key and answers "perhaps" for
 * about one unknown key in a thousand (key-set.test.ts).
 * @see https://www.cs.amherst.edu/~ccmcgeoch/cs34/papers/cacheefficientbloomfilters-jea.pdf
 */
export class KeyFilter {
  readonly #words: Uint32Array;
  readonly #blockMask: number;
  readonly capacityKeys: number;

  /**
   * @param keys the number of keys that the filter must hold; rounded up to at least 2^20, and so that the
   * number of blocks is a power of two
   */
  constructor(keys: number) {
    const bits = Math.max(keys, MIN_CAPACITY_KEYS) * BITS_PER_KEY;
    const blocks = 2 ** Math.ceil(Math.log2(bits / (WORDS_PER_BLOCK * 32)));
    this.#words = new Uint32Array(blocks * WORDS_PER_BLOCK);
    this.#blockMask = blocks - 1;
    this.capacityKeys = Math.floor((blocks * WORDS_PER_BLOCK * 32) / BITS_PER_KEY);
  }

  add(hi: number, lo: number): void {
    const block = (hi & this.#blockMask) * WORDS_PER_BLOCK;
    let bits = lo;
    for (let probe = 0; probe < PROBES; probe++) {
      const word = block + ((bits >>> 5) & (WORDS_PER_BLOCK - 1));
      this.#words[word] = (this.#words[word] ?? 0) | (1 << (bits & 31));
      bits = nextBits(bits, hi);
    }
  }

  mayHave(hi: number, lo: number): boolean {
    const block = (hi & this.#blockMask) * WORDS_PER_BLOCK;
    let bits = lo;
    for (let probe = 0; probe < PROBES; probe++) {
      const word = this.#words[block + ((bits >>> 5) & (WORDS_PER_BLOCK - 1))] ?? 0;
      if ((word & (1 << (bits & 31))) === 0) return false;
      bits = nextBits(bits, hi);
    }
    return true;
  }
}

/**
 * Derives the bits of the next probe, whose low nine select a bit of the block. The step depends on the key's
 * first word, `hi`.
 */
function nextBits(bits: number, hi: number): number {
  const stepped = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d) + hi;
  return (stepped ^ (stepped >>> 12)) >>> 0;
}
