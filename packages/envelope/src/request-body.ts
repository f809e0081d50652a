/** Reads a request's body as a JSON object, and refuses one that is damaged or exceeds a limit. */
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

/** The limit after gunzip. Segment's own limit is 500 KB, but its Node SDK does not respect that limit. */
const MAX_BODY_BYTES = 1024 * 1024;
const MAX_BATCH_MESSAGES = 2500;
/** Parsing a body of this size takes so long that other requests are handled first. */
const LONG_BODY_BYTES = 16 * 1024;

const gunzipAsync = promisify(gunzip);

/** A parsed body. */
export interface RequestBody {
  readonly value: JsonObject;
  /** The messages of a batch; undefined for a single message. */
  readonly batch: readonly unknown[] | undefined;
  /** The size of the text after gunzip; for `check`, the size that was passed to it. */
  readonly bytes: number;
}

export interface RequestReaderOptions {
  /**
   * Limits the buffers of all bodies that are being read, so that a thousand slow uploads do not exhaust the
   * memory.
   */
  readonly maxHeldBytes: number;
  readonly later: NonNullable<ReadBodyOptions["later"]>;
  /** Creates the error to throw. `overloaded`: too many bytes are being read already. */
  readonly toError: (code: WireErrorCode | "overloaded", details?: ErrorDetails) => Error;
  /** Called before `read` parses a long body. Default: the body is parsed immediately. */
  readonly yieldToOthers?: () => Promise<void>;
  /**
   * A body that nests deeper than this is not parsed. Default: unlimited, without checking; messages have
   * their own limit.
   */
  readonly maxLevels?: number;
}

/**
 * Reads the bodies of one server, and limits how much memory they use together. All methods throw the errors
 * that `toError` creates.
 */
export interface RequestReader {
  /**
   * Reads a request's body. Ignores the content type, because browsers send text/plain, and rudder-node
   * labels gzip as a form. Detects gzip by the first bytes, because some proxies inflate a body but leave the
   * header.
   */
  readonly read: (request: BodyStream) => Promise<RequestBody>;
  /** Parses bytes that were read elsewhere. */
  readonly decode: (bytes: Buffer) => Promise<RequestBody>;
  /** Checks a value that was parsed elsewhere. */
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
      // A kilobyte of gzip may inflate to a megabyte, so it counts as a megabyte until it has been inflated
      // and parsed.
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
    return await gunzipAsync(compressed, { maxOutputLength: MAX_BODY_BYTES }); // stops inflating at the limit
  } catch (error) {
    const { code } = error as { readonly code?: unknown }; // no `instanceof`: tests may use another realm
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
    // The parser's own message quotes the body, which may contain anything.
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
