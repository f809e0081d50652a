/** Defines the hostile requests that the benchmark's `abuse` part sends. */
import { createGzip } from "node:zlib";

export type AbuseCase = {
  readonly name: string;
  readonly headers: readonly string[];
  /**
   * `length`: with Content-Length. `chunked`: without it, so that the server has to count the bytes itself.
   */
  readonly framing: "length" | "chunked";
  /** Creates the body. Called before the timing starts. */
  prepare(): Promise<AbuseBody>;
};

/** `piece` is sent `times` times, so that 100 MB are never in memory at once. */
export type AbuseBody = { readonly piece: Buffer; readonly times: number };

const PIECE_BYTES = 100_000;
const BOMB_BYTES = 1_000_000_000;
const JSON_TYPE = "Content-Type: application/json";
/** Names a declared event: the plan would drop an undeclared one by its name alone, which costs less. */
const EVENT_START = '{"batch":[{"type":"track","event":"execute_ACTION_TRIGGERED","userId":"u","properties":';
const EVENT_END = "}]}";

export function abuseCases(): AbuseCase[] {
  return [
    {
      name: "100 MB body",
      headers: [JSON_TYPE],
      framing: "length",
      prepare: async () => spaces(100_000_000),
    },
    {
      name: "100 MB body, chunked",
      headers: [JSON_TYPE],
      framing: "chunked",
      prepare: async () => spaces(100_000_000),
    },
    {
      name: "gzip bomb, 1 MB to 1 GB",
      headers: [JSON_TYPE, "Content-Encoding: gzip"],
      framing: "length",
      prepare: async () => once(await gzippedBomb()),
    },
    {
      name: "JSON 500,000 deep",
      headers: [JSON_TYPE],
      framing: "length",
      prepare: async () => once(jsonOf(`${"[".repeat(500_000)}${"]".repeat(500_000)}`)),
    },
    {
      name: "JSON with 1,000,000 keys, 9 MB",
      headers: [JSON_TYPE],
      framing: "length",
      prepare: async () => once(jsonOf(manyKeys(1_000_000))),
    },
    {
      name: "JSON with 100,000 keys, under 1 MiB",
      headers: [JSON_TYPE],
      framing: "length",
      prepare: async () => once(jsonOf(manyKeys(100_000))),
    },
  ];
}

function once(piece: Buffer): AbuseBody {
  return { piece, times: 1 };
}

function spaces(bytes: number): AbuseBody {
  return { piece: Buffer.alloc(PIECE_BYTES, " "), times: bytes / PIECE_BYTES };
}

function jsonOf(properties: string): Buffer {
  return Buffer.from(EVENT_START + properties + EVENT_END);
}

function manyKeys(count: number): string {
  const keys = Array.from({ length: count }, (_, index) => `"${index.toString(36)}":0`);
  return `{"instanceId":"612460418944011a10fa5b",${keys.join(",")}}`;
}

/**
 * An unterminated event of 1 GB, under 1 MiB compressed: the collector has to stop while decompressing it.
 */
async function gzippedBomb(): Promise<Buffer> {
  const gzip = createGzip({ level: 9 });
  const chunks: Buffer[] = [];
  gzip.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve, reject) => gzip.once("end", resolve).once("error", reject));
  gzip.write(`${EVENT_START}"`);
  const piece = Buffer.alloc(PIECE_BYTES * 10, "a");
  for (let left = BOMB_BYTES; left > 0; left -= piece.length) {
    if (!gzip.write(piece)) await new Promise((resolve) => gzip.once("drain", resolve));
  }
  gzip.end();
  await ended;
  return Buffer.concat(chunks);
}
