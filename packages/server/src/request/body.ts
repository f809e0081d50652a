import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { isObject, type JsonObject, parseJson } from "@candor/envelope";
import { LinkedList } from "@candor/envelope/linked-list";
import { type BodyFault, createBodyBudget, holdMore, readBody } from "@candor/envelope/read-body";
import { CandorError } from "../errors.ts";

/** After gunzip. Segment's own limit is 500 KB, which its Node SDK does not keep. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Buffers of bodies that are being read, all together: a thousand slow uploads must not fill the memory. */
const MAX_READING_BYTES = 64 * 1024 * 1024;

const gunzipAsync = promisify(gunzip);

/** A request's JSON object. */
export interface Body {
  readonly value: JsonObject;
  /** Size of its text after gunzip. */
  readonly bytes: number;
}

/** Reads bodies of one server; counts what all of them hold in memory. */
export type BodyReader = (request: IncomingMessage) => Promise<Body>;

const COARSE_MS = 1000;
/** Reading a body of this size takes long enough for others to be answered first. */
const LONG_BODY_BYTES = 16 * 1024;

/**
 * Makes a reader of a request's JSON object. Ignores the content type (browsers send text/plain, rudder-node labels gzip as a
 * form), and goes by the bytes for gzip, because proxies inflate and leave the header.
 * @throws CandorError `body_too_large`, `body_unreadable`, `body_not_object`, `body_fragmented`, `body_timeout`,
 * `encoding_unknown`, `overloaded`
 */
export function createBodyReader(): BodyReader {
  const budget = createBodyBudget(MAX_READING_BYTES);
  const yieldToOthers = createYielding();
  const later = createCoarseTimers();
  return async (request) => {
    checkEncoding(request.headers["content-encoding"]);
    const raw = await readBody(request, { maxBytes: MAX_BODY_BYTES, budget, later });
    if (typeof raw === "string") throw toError(raw);
    const isGzip = raw.length > 2 && raw[0] === 0x1f && raw[1] === 0x8b;
    // A kilobyte of gzip may become a megabyte: counted as that until it has been read.
    const heldBytes = isGzip ? MAX_BODY_BYTES : raw.length;
    if (!holdMore(budget, heldBytes)) throw new CandorError("overloaded");
    try {
      const body = isGzip ? await inflate(raw) : raw;
      if (body.length >= LONG_BODY_BYTES) await yieldToOthers();
      return { value: parseBody(body), bytes: body.length };
    } finally {
      budget.heldBytes -= heldBytes;
    }
  };
}

/**
 * Lets one caller at a time go on, one in each turn of the event loop. Thirty large bodies that arrive together would
 * otherwise be read in one go, and the disk would idle meanwhile, and then this thread while the disk flushes all.
 */
function createYielding(): () => Promise<void> {
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

/** Timers that may fire a second late. They share one system timer, because nearly all of them are cancelled at once. */
function createCoarseTimers(): (afterMs: number, task: () => void) => () => void {
  const waiting = new LinkedList<{ readonly dueMs: number; readonly task: () => void }>();
  setInterval(() => {
    const nowMs = performance.now();
    for (const place of waiting) {
      if (place.item.dueMs > nowMs) continue;
      waiting.remove(place);
      place.item.task();
    }
  }, COARSE_MS).unref();
  return (afterMs, task) => {
    const place = waiting.push({ dueMs: performance.now() + afterMs, task });
    return () => waiting.remove(place);
  };
}

function checkEncoding(encoding: string | undefined): void {
  if (encoding !== undefined && !/^(x-)?gzip$|^identity$|^$/i.test(encoding.trim()))
    throw new CandorError("encoding_unknown");
}

function toError(fault: BodyFault): CandorError {
  switch (fault) {
    case "too_large":
      return tooLarge();
    case "over_budget":
      return new CandorError("overloaded");
    case "fragmented":
      return new CandorError("body_fragmented");
    case "too_slow":
    case "broken_off":
      return new CandorError("body_timeout");
  }
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
    value = parseJson(body.toString("utf8"));
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
