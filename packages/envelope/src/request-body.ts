/** Owns how a request's body becomes a JSON object: its encoding, gzip, UTF-8, JSON, and the limits of each. */
import { isUtf8 } from "node:buffer";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { ErrorDetails, WireErrorCode } from "./errors.ts";
import { nestsDeeper, parseJson } from "./json-text.ts";
import { isObject, type JsonObject } from "./message.ts";
import {
  type BodyFault,
  type BodyStream,
  createBodyBudget,
  holdMore,
  type ReadBodyOptions,
  readBody,
} from "./read-body.ts";

/** After gunzip. Segment's own limit is 500 KB, which its Node SDK does not keep. */
const MAX_BODY_BYTES = 1024 * 1024;
const MAX_BATCH_MESSAGES = 2500;
/** Reading a body of this size takes long enough for others to be answered first. */
const LONG_BODY_BYTES = 16 * 1024;

const gunzipAsync = promisify(gunzip);

/** What a body holds. */
export interface RequestBody {
  readonly value: JsonObject;
  /** The messages of a batch; undefined: it is a single message. */
  readonly batch: readonly unknown[] | undefined;
  /** Size of the text after gunzip. */
  readonly bytes: number;
}

export interface RequestReaderOptions {
  /** Buffers of bodies that are being read, all together: a thousand slow uploads must not fill the memory. */
  readonly maxHeldBytes: number;
  readonly later: NonNullable<ReadBodyOptions["later"]>;
  /** Makes the error that is thrown. `overloaded`: too much is being read already. */
  readonly toError: (code: WireErrorCode | "overloaded", details?: ErrorDetails) => Error;
  /** Called before a long body is parsed. Default: it is parsed at once. */
  readonly yieldToOthers?: () => Promise<void>;
  /** A body that nests deeper is not parsed. Default: no limit, which costs nothing; messages have their own. */
  readonly maxLevels?: number;
}

/** Reads the bodies of one server; counts what all of them hold in memory. Both throw what `toError` makes. */
export interface RequestReader {
  /**
   * Ignores the content type (browsers send text/plain, rudder-node labels gzip as a form), and goes by the bytes for gzip, because
   * proxies inflate and leave the header.
   */
  readonly read: (request: BodyStream) => Promise<RequestBody>;
  /** The same of bytes that somebody else has read. */
  readonly decode: (bytes: Buffer) => Promise<RequestBody>;
  /** The same of what somebody else has parsed. */
  readonly check: (value: unknown, bytes?: number) => RequestBody;
}

export function createRequestReader(options: RequestReaderOptions): RequestReader {
  const { maxHeldBytes, later, toError, yieldToOthers } = options;
  const budget = createBodyBudget(maxHeldBytes);
  const reading: ReadBodyOptions = { maxBytes: MAX_BODY_BYTES, budget, later };
  return {
    read: async (request) => {
      checkEncoding(request.headers["content-encoding"], options);
      const raw = await readBody(request, reading);
      if (typeof raw === "string") throw toReadError(raw, options);
      // A kilobyte of gzip may become a megabyte: counted as that until it has been read.
      const heldBytes = isGzip(raw) ? MAX_BODY_BYTES : raw.length;
      if (!holdMore(budget, heldBytes)) throw toError("overloaded");
      try {
        const text = isGzip(raw) ? await inflate(raw, options) : raw;
        if (text.length >= LONG_BODY_BYTES && yieldToOthers !== undefined) await yieldToOthers();
        return toBody(parseText(text, options), text.length, options);
      } finally {
        budget.heldBytes -= heldBytes;
      }
    },
    decode: async (bytes) => {
      const text = isGzip(bytes) ? await inflate(bytes, options) : bytes;
      if (text.length > MAX_BODY_BYTES) throw tooLarge(options);
      return toBody(parseText(text, options), text.length, options);
    },
    check: (value, bytes = 0) => toBody(value, bytes, options),
  };
}

function checkEncoding(encoding: string | undefined, { toError }: RequestReaderOptions): void {
  if (encoding !== undefined && !/^(x-)?gzip$|^identity$|^$/i.test(encoding.trim()))
    throw toError("encoding_unknown");
}

function toReadError(fault: BodyFault, options: RequestReaderOptions): Error {
  switch (fault) {
    case "too_large":
      return tooLarge(options);
    case "over_budget":
      return options.toError("overloaded");
    case "fragmented":
      return options.toError("body_fragmented");
    case "too_slow":
    case "broken_off":
      return options.toError("body_timeout");
  }
}

function isGzip(bytes: Buffer): boolean {
  return bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

async function inflate(compressed: Buffer, options: RequestReaderOptions): Promise<Buffer> {
  try {
    return await gunzipAsync(compressed, { maxOutputLength: MAX_BODY_BYTES }); // stops there, does not inflate first
  } catch (error) {
    const { code } = error as { readonly code?: unknown }; // not `instanceof`: a product's tests run in other realms
    throw code === "ERR_BUFFER_TOO_LARGE" ? tooLarge(options) : unreadable("its gzip is damaged", options);
  }
}

function parseText(text: Buffer, options: RequestReaderOptions): unknown {
  const { maxLevels } = options;
  if (text.length === 0) throw unreadable("it is empty", options);
  if (!isUtf8(text)) throw unreadable("it is not UTF-8", options);
  if (maxLevels !== undefined && nestsDeeper(text, maxLevels)) throw unreadable("it nests too deep", options);
  try {
    return parseJson(text.toString("utf8"));
  } catch {
    // The parser's own message quotes the body, which may hold anything.
    throw unreadable("it is not valid JSON", options);
  }
}

function toBody(value: unknown, bytes: number, { toError }: RequestReaderOptions): RequestBody {
  if (!isObject(value)) throw toError("body_not_object");
  const { batch } = value;
  if (batch === undefined) return { value, batch, bytes };
  if (!Array.isArray(batch)) throw toError("batch_not_array");
  if (batch.length > MAX_BATCH_MESSAGES) throw toError("batch_too_long", { limit: MAX_BATCH_MESSAGES });
  return { value, batch, bytes };
}

function tooLarge({ toError }: RequestReaderOptions): Error {
  return toError("body_too_large", { limitBytes: MAX_BODY_BYTES });
}

function unreadable(why: string, { toError }: RequestReaderOptions): Error {
  return toError("body_unreadable", { why });
}
