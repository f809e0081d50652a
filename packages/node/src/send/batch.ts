/** Packs lines into the body of a batch. */
import { createGzip } from "node:zlib";
import type { Lines } from "../outbox/outbox-file.ts";

const LINE_BREAK = 10;
const COMMA = 44;
const HEAD = '{"batch":[';
/**
 * Compresses in chunks: if all cores are busy, the system may make the event loop wait for a thread until that
 * pauses. So it waits for 0.2 ms at a time, not 3 ms for the whole batch.
 */
const PIECE_BYTES = 16 * 1024;
/** Size of output chunks: a packed batch is usually one chunk. */
const CHUNK_BYTES = 32 * 1024;

/**
 * Packs one batch after the other, in memory that it keeps: allocating that much many times a second burdens the
 * garbage collector.
 */
export class BatchPacker {
  #scratch = Buffer.alloc(0);

  /**
   * The gzipped body of a batch: the lines' own bytes, with commas for the line breaks between them. Not reentrant:
   * call it again only after the last call has resolved.
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

/** The first half of the lines, and the rest. For two lines or more. */
export function halve({ bytes, count }: Lines): readonly [Lines, Lines] {
  const firstCount = Math.floor(count / 2);
  let end = 0;
  for (let line = 0; line < firstCount; line += 1) end = bytes.indexOf(LINE_BREAK, end) + 1;
  return [
    { bytes: bytes.subarray(0, end), count: firstCount },
    { bytes: bytes.subarray(end), count: count - firstCount },
  ];
}
