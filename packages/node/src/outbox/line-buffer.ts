/** Owns a buffer that collects lines as bytes until they are written. */

/**
 * The smallest size of a buffer: as much as most products write in 20 ms, the time for which lines are
 * gathered.
 */
const SMALLEST_BYTES = 4 * 1024;
/** A buffer that a burst has made larger than this is not reused. */
const MAX_KEPT_BYTES = 1024 * 1024;
/** UTF-8 needs at most three bytes for one UTF-16 code unit. */
const MAX_BYTES_A_UNIT = 3;
const LINE_BREAK = 10;

/** The bytes of whole lines, including their line breaks. */
export interface TakenLines {
  readonly bytes: Buffer;
  readonly count: number;
}

/**
 * Collects lines as the bytes to be written to the file, so that writing needs no further work, and the
 * garbage collector does not have to move thousands of waiting strings.
 */
export class LineBuffer {
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;
  #count = 0;
  #spare: Buffer | undefined;

  get bytes(): number {
    return this.#length;
  }

  /** @param line without its line break */
  add(line: string): void {
    this.#reserve(line.length * MAX_BYTES_A_UNIT + 1);
    this.#length += this.#buffer.write(line, this.#length);
    this.#buffer[this.#length] = LINE_BREAK;
    this.#length += 1;
    this.#count += 1;
  }

  /** Removes and returns all collected lines; undefined if there are none. */
  take(): TakenLines | undefined {
    if (this.#count === 0) return undefined;
    const taken = { bytes: this.#buffer.subarray(0, this.#length), count: this.#count };
    this.#empty();
    return taken;
  }

  /** Puts lines that `take` returned back at the front. */
  putBack({ bytes, count }: TakenLines): void {
    const later = this.take();
    this.#reserve(bytes.length + (later?.bytes.length ?? 0));
    this.#length = bytes.copy(this.#buffer);
    this.#length += later?.bytes.copy(this.#buffer, this.#length) ?? 0;
    this.#count = count + (later?.count ?? 0);
  }

  /** Reuses the memory of lines that `take` returned. Call it after they have been written. */
  recycle({ bytes }: TakenLines): void {
    const isKept = bytes.byteOffset === 0 && bytes.buffer.byteLength <= MAX_KEPT_BYTES;
    if (isKept) this.#spare = Buffer.from(bytes.buffer);
  }

  clear(): void {
    this.#empty();
    this.#spare = undefined;
  }

  #empty(): void {
    this.#buffer = this.#spare ?? Buffer.alloc(0);
    this.#spare = undefined;
    this.#length = 0;
    this.#count = 0;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const size = Math.max(SMALLEST_BYTES, 2 ** Math.ceil(Math.log2(needed)));
    // `allocUnsafeSlow` does not use Node's pool, where a small slice would keep its whole slab in memory.
    const larger = Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
