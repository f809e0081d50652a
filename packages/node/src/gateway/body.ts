import { isUtf8 } from "node:buffer";
import { promisify } from "node:util";
import { isUint8Array } from "node:util/types";
import { gunzip } from "node:zlib";
import { type BodyFault, createBodyBudget, holdMore, readBody } from "@candor/envelope/read-body";
import type { Clock } from "../clock.ts";
import { codeOf } from "../error-code.ts";
import { isRecord } from "../json.ts";
import { isBodyRead, type ParsedRequest } from "../read-body.ts";
import { GatewayFault } from "./faults.ts";
import { nestsDeeper } from "./json-depth.ts";

/** After gunzip. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Buffers of bodies that are being read, all together: slow uploads must not fill the product's memory. */
const MAX_READING_BYTES = 8 * 1024 * 1024;
/** Far deeper than any message may be: its own limit is for whoever reads it. */
const MAX_BODY_LEVELS = 200;
const BUSY_RETRY_AFTER_S = 1;

const gunzipAsync = promisify(gunzip);

/** A request of node:http, and what frameworks add to it. */
export interface GatewayRequest extends ParsedRequest {
  /** The address before the framework took the mount off. */
  readonly originalUrl?: string;
}

type JsonRecord = { readonly [key: string]: unknown };

/**
 * Makes a reader of a request's JSON object. It ignores the content type, because browsers send text/plain, and goes by the
 * bytes for gzip, because proxies inflate and leave the header.
 * @throws GatewayFault `body_too_large`, `body_unreadable`, `body_not_object`, `encoding_unknown`, `body_fragmented`,
 * `body_timeout`, `too_many_requests` when too much is being read already
 */
export function createBodyReader(clock: Clock): (request: GatewayRequest) => Promise<JsonRecord> {
  const budget = createBodyBudget(MAX_READING_BYTES);
  return async (request) => {
    if (isBodyRead(request)) return readParsed(request.body);
    checkEncoding(request.headers["content-encoding"]);
    const raw = await readBody(request, { maxBytes: MAX_BODY_BYTES, budget, later: clock.later });
    if (typeof raw === "string") throw toFault(raw);
    // A kilobyte of gzip may become a megabyte: counted as that until it has been read.
    const heldBytes = isGzip(raw) ? MAX_BODY_BYTES : raw.length;
    if (!holdMore(budget, heldBytes)) throw busy();
    try {
      return parseBody(await inflate(raw));
    } finally {
      budget.heldBytes -= heldBytes;
    }
  };
}

async function readParsed(body: unknown): Promise<JsonRecord> {
  if (typeof body === "string") return parseBody(Buffer.from(body));
  if (isUint8Array(body)) return parseBody(await inflate(Buffer.from(body)));
  if (body === undefined) throw new GatewayFault("body_unreadable");
  if (!isRecord(body)) throw new GatewayFault("body_not_object");
  return body;
}

function checkEncoding(encoding: string | undefined): void {
  if (encoding !== undefined && !/^(x-)?gzip$|^identity$|^$/i.test(encoding.trim()))
    throw new GatewayFault("encoding_unknown");
}

function toFault(fault: BodyFault): GatewayFault {
  switch (fault) {
    case "too_large":
      return new GatewayFault("body_too_large");
    case "over_budget":
      return busy();
    case "fragmented":
      return new GatewayFault("body_fragmented");
    case "too_slow":
    case "broken_off":
      return new GatewayFault("body_timeout");
  }
}

function busy(): GatewayFault {
  return new GatewayFault("too_many_requests", BUSY_RETRY_AFTER_S);
}

function isGzip(bytes: Buffer): boolean {
  return bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Stops at the limit; does not inflate first. */
async function inflate(bytes: Buffer): Promise<Buffer> {
  if (!isGzip(bytes)) return bytes;
  try {
    return await gunzipAsync(bytes, { maxOutputLength: MAX_BODY_BYTES });
  } catch (error) {
    const isTooLarge = codeOf(error) === "ERR_BUFFER_TOO_LARGE";
    throw new GatewayFault(isTooLarge ? "body_too_large" : "body_unreadable");
  }
}

function parseBody(body: Buffer): JsonRecord {
  if (body.length > MAX_BODY_BYTES) throw new GatewayFault("body_too_large");
  if (!isUtf8(body) || nestsDeeper(body, MAX_BODY_LEVELS)) throw new GatewayFault("body_unreadable");
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw new GatewayFault("body_unreadable");
  }
  if (!isRecord(value)) throw new GatewayFault("body_not_object");
  return value;
}
