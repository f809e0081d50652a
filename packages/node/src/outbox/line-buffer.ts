/** What most products write in 20 ms. */
const SMALLEST_BYTES = 4 * 1024;
/** A buffer that a burst made larger than this is not kept for what follows. */
const MAX_KEPT_BYTES = 1024 * 1024;
/** UTF-8 takes at most three bytes for one UTF-16 code unit. */
const MAX_BYTES_A_UNIT = 3;
const LINE_BREAK = 10;

/** Lines, each with its line break, as bytes. */
export interface TakenLines {
  readonly bytes: Buffer;
  readonly count: number;
}

/**
 * Gathers lines as the bytes that they will be in the file: nothing is left to do with them when they are written, and a
 * thousand waiting strings are nothing that the garbage collector has to move.
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

  /** What was gathered; nothing is left. Undefined: there is nothing. */
  take(): TakenLines | undefined {
    if (this.#count === 0) return undefined;
    const taken = { bytes: this.#buffer.subarray(0, this.#length), count: this.#count };
    this.#empty();
    return taken;
  }

  /** Puts lines that were taken back to the front. */
  putBack({ bytes, count }: TakenLines): void {
    const later = this.take();
    this.#reserve(bytes.length + (later?.bytes.length ?? 0));
    this.#length = bytes.copy(this.#buffer);
    this.#length += later?.bytes.copy(this.#buffer, this.#length) ?? 0;
    this.#count = count + (later?.count ?? 0);
  }

  /** Lines that were taken are written: their memory is used again. */
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
    // Not of Node's pool: a small buffer would hold the whole slab that it is cut from.
    const larger = Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
