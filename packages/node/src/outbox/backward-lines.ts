import { openForReading, readBytes } from "./outbox-file.ts";

const LINE_BREAK = 10;
const PIECE_BYTES = 64 * 1024;
/** A longer line is not a message, and what stands before it is not shown. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;

/** A line of a file, without its line break. */
export interface FileLine {
  readonly text: string;
  /** Where the line begins and where the next one does, in bytes. */
  readonly fromByte: number;
  readonly toByte: number;
}

/** Reads a file's whole lines from some place back to its beginning, a piece at a time. It is open only while it is read. */
export class BackwardLines {
  readonly #path: string;
  /** Read and not given yet: it begins at `#fromByte`, and ends with a line break. */
  #held: Buffer = Buffer.alloc(0);
  #fromByte: number;

  private constructor(path: string, fromByte: number) {
    this.#path = path;
    this.#fromByte = fromByte;
  }

  /** @param toByte what stands behind it is left out, and so is a line that is not whole there @throws the file system's error */
  static async open(path: string, toByte: number): Promise<BackwardLines> {
    const lines = new BackwardLines(path, toByte);
    await lines.#skipTornLine();
    return lines;
  }

  /** The line before the last one that was given; undefined: that was the first. @throws the file system's error */
  async previous(): Promise<FileLine | undefined> {
    for (;;) {
      const { length } = this.#held;
      const breakAt = length < 2 ? -1 : this.#held.lastIndexOf(LINE_BREAK, length - 2);
      if (breakAt !== -1 || (this.#fromByte === 0 && length > 0)) return this.#take(breakAt + 1);
      if (!(await this.#readOn())) return undefined;
    }
  }

  #take(begin: number): FileLine {
    const toByte = this.#fromByte + this.#held.length;
    const text = this.#held.toString("utf8", begin, this.#held.length - 1);
    this.#held = this.#held.subarray(0, begin);
    return { text, fromByte: this.#fromByte + begin, toByte };
  }

  async #skipTornLine(): Promise<void> {
    while (await this.#readOn()) {
      const end = this.#held.lastIndexOf(LINE_BREAK) + 1;
      this.#held = this.#held.subarray(0, end);
      if (end > 0) return;
    }
  }

  /** Holds one more piece, as large as all that is held, so that a long line is not copied over and over. False: there is none. */
  async #readOn(): Promise<boolean> {
    const length = Math.min(this.#fromByte, Math.max(PIECE_BYTES, this.#held.length));
    if (length === 0 || this.#held.length > MAX_LINE_BYTES) return false;
    const fromByte = this.#fromByte - length;
    const piece = await readPiece(this.#path, fromByte, length);
    this.#fromByte = fromByte;
    this.#held = Buffer.concat([piece, this.#held]);
    return true;
  }
}

async function readPiece(path: string, fromByte: number, length: number): Promise<Buffer> {
  const file = await openForReading(path);
  try {
    return await readBytes(file, fromByte, length);
  } finally {
    await file.close();
  }
}
