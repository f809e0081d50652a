import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { isObject, type JsonObject } from "@candor/envelope";
import { CandorError } from "../errors.ts";

/** After gunzip. Segment's own limit is 500 KB, which its Node SDK does not keep. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Bodies that are being read, all together: a thousand slow uploads must not fill the memory. */
const MAX_READING_BYTES = 64 * 1024 * 1024;

const gunzipAsync = promisify(gunzip);

/** Reads bodies of one server; counts what all of them hold in memory. */
export type BodyReader = (request: IncomingMessage) => Promise<JsonObject>;

/** Reading a body of this size takes long enough for others to be answered first. */
const LONG_BODY_BYTES = 16 * 1024;

/**
 * Makes a reader of a request's JSON object. Ignores the content type (browsers send text/plain, rudder-node labels gzip as a
 * form), and goes by the bytes for gzip, because proxies inflate and leave the header.
 * @throws CandorError `body_too_large`, `body_unreadable`, `body_not_object`, `encoding_unknown`, `overloaded`
 */
export function createBodyReader(): BodyReader {
  const reading: Reading = { bytes: 0 };
  const turns = createTurns();
  return async (request) => {
    checkEncoding(request.headers["content-encoding"]);
    const raw = await readBytes(request, reading);
    const isGzip = raw.length > 2 && raw[0] === 0x1f && raw[1] === 0x8b;
    // A kilobyte of gzip may become a megabyte: counted as that until it has been read.
    const heldBytes = isGzip ? MAX_BODY_BYTES : raw.length;
    if (reading.bytes + heldBytes > MAX_READING_BYTES) throw new CandorError("overloaded");
    reading.bytes += heldBytes;
    try {
      const body = isGzip ? await inflate(raw) : raw;
      if (body.length >= LONG_BODY_BYTES) await turns();
      return parseBody(body);
    } finally {
      reading.bytes -= heldBytes;
    }
  };
}

/**
 * Lets one caller at a time go on, one in each turn of the event loop. Thirty large bodies that arrive together would
 * otherwise be read in one go, and the disk would idle meanwhile, and then this thread while the disk flushes all.
 */
function createTurns(): () => Promise<void> {
  const waiting: (() => void)[] = [];
  const next = (): void => {
    waiting.shift()?.();
    if (waiting.length > 0) setImmediate(next);
  };
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 1) setImmediate(next);
    });
}

interface Reading {
  bytes: number;
}

function checkEncoding(encoding: string | undefined): void {
  if (encoding !== undefined && !/^(x-)?gzip$|^identity$|^$/i.test(encoding.trim()))
    throw new CandorError("encoding_unknown");
}

/** What is beyond the limit is not kept; node:http reads it off the connection after the answer. */
function readBytes(request: IncomingMessage, reading: Reading): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) return reject(tooLarge());
    const chunks: Buffer[] = [];
    let bytes = 0;
    let isSettled = false;
    const settle = (then: () => void): void => {
      if (isSettled) return;
      isSettled = true;
      reading.bytes -= bytes;
      then();
    };
    request.on("data", (chunk: Buffer) => {
      if (isSettled) return;
      bytes += chunk.length;
      reading.bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > MAX_BODY_BYTES) settle(() => reject(tooLarge()));
      else if (reading.bytes > MAX_READING_BYTES) settle(() => reject(new CandorError("overloaded")));
    });
    request.on("end", () =>
      settle(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks))),
    );
    request.on("error", () => settle(() => reject(new CandorError("body_timeout"))));
    request.on("close", () => settle(() => reject(new CandorError("body_timeout"))));
  });
}

async function inflate(compressed: Buffer): Promise<Buffer> {
  try {
    return await gunzipAsync(compressed, { maxOutputLength: MAX_BODY_BYTES }); // stops there, does not inflate first
  } catch (error) {
    const isTooLarge = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    throw isTooLarge ? tooLarge() : new CandorError("body_unreadable", { why: "its gzip is damaged" });
  }
}

function parseBody(body: Buffer): JsonObject {
  if (body.length === 0) throw new CandorError("body_unreadable", { why: "it is empty" });
  if (!isUtf8(body)) throw new CandorError("body_unreadable", { why: "it is not UTF-8" });
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    // The parser's own message quotes the body, which may hold anything.
    throw new CandorError("body_unreadable", { why: "it is not valid JSON" });
  }
  if (!isObject(value)) throw new CandorError("body_not_object");
  return value;
}

function tooLarge(): CandorError {
  return new CandorError("body_too_large", { limitBytes: MAX_BODY_BYTES });
}
