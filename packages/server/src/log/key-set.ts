/** Implements a compact in-memory set of 64-bit keys. */

const INITIAL_SLOTS = 1024;
const MAX_LOAD = 0.6;

/**
 * A set of 64-bit keys in one typed array: open addressing with linear probing, 8 bytes per slot. A
 * JavaScript Set of strings or BigInts would take ten times the memory, and its garbage collection would slow
 * ingest. The keys are already hashes, so their low word is used directly as the first slot to probe.
 */
export class KeySet {
  #table = new Uint32Array(2 * INITIAL_SLOTS);
  #slots = INITIAL_SLOTS;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(hi: number, lo: number): boolean {
    return this.#find(hi, lo) >= 0;
  }

  /**
   * Adds a key. Returns false if the set already contained it. The key (0, 0) never occurs: hashKey does not
   * produce it.
   */
  add(hi: number, lo: number): boolean {
    const found = this.#find(hi, lo);
    if (found >= 0) return false;
    const slot = ~found;
    this.#table[2 * slot] = hi;
    this.#table[2 * slot + 1] = lo;
    this.#size += 1;
    if (this.#size > this.#slots * MAX_LOAD) this.#grow();
    return true;
  }

  /** Removes a key and moves the keys after it up, so that no tombstone remains. */
  delete(hi: number, lo: number): void {
    let hole = this.#find(hi, lo);
    if (hole < 0) return;
    const mask = this.#slots - 1;
    const table = this.#table;
    for (let slot = (hole + 1) & mask; !this.#isEmpty(slot); slot = (slot + 1) & mask) {
      const home = (table[2 * slot + 1] ?? 0) & mask;
      const mayMove = ((slot - home) & mask) >= ((slot - hole) & mask);
      if (!mayMove) continue;
      table.copyWithin(2 * hole, 2 * slot, 2 * slot + 2);
      hole = slot;
    }
    table.fill(0, 2 * hole, 2 * hole + 2);
    this.#size -= 1;
  }

  /** All keys as pairs of words, in no particular order. */
  toArray(): Uint32Array<ArrayBuffer> {
    const keys = new Uint32Array(2 * this.#size);
    let at = 0;
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.#isEmpty(slot)) continue;
      keys[at++] = this.#table[2 * slot] ?? 0;
      keys[at++] = this.#table[2 * slot + 1] ?? 0;
    }
    return keys;
  }

  /** Returns the key's slot, or `~slot` of the empty slot in which the key would be stored. */
  #find(hi: number, lo: number): number {
    const table = this.#table;
    const mask = this.#slots - 1;
    let slot = lo & mask;
    for (;;) {
      const slotHi = table[2 * slot] ?? 0;
      const slotLo = table[2 * slot + 1] ?? 0;
      if (slotLo === lo && slotHi === hi) return slot;
      if (slotLo === 0 && slotHi === 0) return ~slot;
      slot = (slot + 1) & mask;
    }
  }

  #isEmpty(slot: number): boolean {
    return this.#table[2 * slot] === 0 && this.#table[2 * slot + 1] === 0;
  }

  #grow(): void {
    const keys = this.toArray();
    this.#slots *= 2;
    this.#table = new Uint32Array(2 * this.#slots);
    this.#size = 0;
    for (let at = 0; at < keys.length; at += 2) this.add(keys[at] ?? 0, keys[at + 1] ?? 0);
  }
}
