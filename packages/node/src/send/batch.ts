import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Lines } from "../outbox/outbox-file.ts";

const compress = promisify(gzip);
const LINE_BREAK = 10;
const COMMA = 44;

/** The body of a batch: the lines' own bytes, with commas for the line breaks between them. Gzipped. */
export async function packBatch({ bytes }: Lines, sentAtMs: number): Promise<Buffer> {
  const joined = Buffer.from(bytes);
  for (let at = joined.indexOf(LINE_BREAK); at !== -1; at = joined.indexOf(LINE_BREAK, at + 1)) {
    joined[at] = COMMA;
  }
  const list = joined.subarray(0, -1);
  const head = Buffer.from('{"batch":[');
  const tail = Buffer.from(`],"sentAt":"${new Date(sentAtMs).toISOString()}"}`);
  return compress(Buffer.concat([head, list, tail]));
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

/** The lines that may go. @param mayLine asked for each, without its line break */
export function filterLines({ bytes }: Lines, mayLine: (line: string) => boolean): Lines {
  const kept = bytes.toString("utf8").split("\n").slice(0, -1).filter(mayLine);
  return { bytes: Buffer.from(kept.map((line) => `${line}\n`).join("")), count: kept.length };
}
