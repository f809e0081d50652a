/** Packs lines into the body of a batch. */
import { createGzip } from "node:zlib";
import type { Lines } from "../outbox/outbox-file.ts";

const LINE_BREAK = 10;
const COMMA = 44;
const HEAD = '{"batch":[';
/**
 * The size of the chunks in which a batch is compressed. If all cores are busy, the event loop may have to
 * wait until the compressing thread pauses, which it does after each chunk.
 */
const PIECE_BYTES = 16 * 1024;
/** The size of output chunks. A compressed batch usually fits in one chunk. */
const CHUNK_BYTES = 32 * 1024;

/**
 * Packs one batch after another into memory that it reuses, because allocating that much many times a second
 * burdens the garbage collector.
 */
export class BatchPacker {
  #scratch = Buffer.alloc(0);

  /**
   * Returns the gzipped body of a batch: the bytes of the lines, separated by commas instead of line breaks.
   * Not reentrant: call it again only after the previous call has resolved.
   */
  pack({ bytes }: Lines, sentAtMs: number): Promise<Buffer> {
    const tail = `],"sentAt":"${new Date(sentAtMs).toISOString()}"}`;
    const neededBytes = HEAD.length + bytes.length + tail.length;
    if (this.#scratch.length < neededBytes) this.#scratch = Buffer.allocUnsafeSlow(neededBytes);
    const body = this.#scratch;
    body.write(HEAD, "latin1");
    bytes.copy(body, HEAD.length);
    const end = HEAD.length + bytes.length - 1;
    for (let at = body.indexOf(LINE_BREAK, HEAD.length); at < end; at = body.indexOf(LINE_BREAK, at + 1)) {
      body[at] = COMMA;
    }
    body.write(tail, end, "latin1");
    return compress(body.subarray(0, end + tail.length));
  }
}

function compress(body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const gzip = createGzip({ chunkSize: CHUNK_BYTES });
    const packed: Buffer[] = [];
    gzip.on("data", (chunk: Buffer) => packed.push(chunk));
    gzip.once("end", () => resolve(Buffer.concat(packed)));
    gzip.once("error", reject);
    for (let at = 0; at < body.length; at += PIECE_BYTES) gzip.write(body.subarray(at, at + PIECE_BYTES));
    gzip.end();
  });
}

/** Splits two or more lines into a first half and the rest. */
export function halve({ bytes, count }: Lines): readonly [Lines, Lines] {
  const firstCount = Math.floor(count / 2);
  let end = 0;
  for (let line = 0; line < firstCount; line += 1) end = bytes.indexOf(LINE_BREAK, end) + 1;
  return [
    { bytes: bytes.subarray(0, end), count: firstCount },
    { bytes: bytes.subarray(end), count: count - firstCount },
  ];
}
