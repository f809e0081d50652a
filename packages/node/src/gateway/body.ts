import { isUtf8 } from "node:buffer";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Clock } from "../clock.ts";
import { isRecord } from "../json.ts";
import { isBodyRead, type ParsedRequest } from "../read-body.ts";
import { GatewayFault } from "./faults.ts";
import { nestsDeeper } from "./json-depth.ts";

/** After gunzip. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Bodies that are being read, all together: slow uploads must not fill the product's memory. */
const MAX_READING_BYTES = 8 * 1024 * 1024;
/** Far deeper than any message may be: its own limit is for whoever reads it. */
const MAX_BODY_LEVELS = 200;
/** A browser's message is small; who takes longer is not one. */
const BODY_TIMEOUT_MS = 15_000;
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
 * @throws GatewayFault `body_too_large`, `body_unreadable`, `body_not_object`, `encoding_unknown`, `body_timeout`,
 * `too_many_requests` when too much is being read already
 */
export function createBodyReader(clock: Clock): (request: GatewayRequest) => Promise<JsonRecord> {
  const reading: Reading = { bytes: 0 };
  return async (request) => {
    if (isBodyRead(request)) return readParsed(request.body);
    checkEncoding(request.headers["content-encoding"]);
    const raw = await readBytes(request, reading, clock);
    // A kilobyte of gzip may become a megabyte: counted as that until it has been read.
    const heldBytes = isGzip(raw) ? MAX_BODY_BYTES : raw.length;
    holdMore(reading, heldBytes);
    try {
      return parseBody(await inflate(raw));
    } finally {
      reading.bytes -= heldBytes;
    }
  };
}

interface Reading {
  bytes: number;
}

async function readParsed(body: unknown): Promise<JsonRecord> {
  if (typeof body === "string") return parseBody(Buffer.from(body));
  if (body instanceof Uint8Array) return parseBody(await inflate(Buffer.from(body)));
  if (body === undefined) throw new GatewayFault("body_unreadable");
  if (!isRecord(body)) throw new GatewayFault("body_not_object");
  return body;
}

function checkEncoding(encoding: string | undefined): void {
  if (encoding !== undefined && !/^(x-)?gzip$|^identity$|^$/i.test(encoding.trim()))
    throw new GatewayFault("encoding_unknown");
}

function readBytes(request: GatewayRequest, reading: Reading, { later }: Clock): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (fault: GatewayFault | undefined): void => {
      cancel();
      request.off("data", onData).off("end", onEnd).off("close", onGone);
      reading.bytes -= bytes;
      bytes = 0;
      if (fault === undefined) resolve(Buffer.concat(chunks));
      else {
        chunks.length = 0;
        request.resume(); // what still comes is thrown away
        reject(fault);
      }
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      chunks.push(chunk);
      reading.bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) settle(new GatewayFault("body_too_large"));
      else if (reading.bytes > MAX_READING_BYTES) settle(busy());
    };
    const onEnd = (): void => settle(undefined);
    const onGone = (): void => settle(new GatewayFault("body_timeout"));
    const cancel = later(BODY_TIMEOUT_MS, onGone);
    request
      .on("data", onData)
      .on("end", onEnd)
      .on("close", onGone)
      .on("error", () => {});
    if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES)
      settle(new GatewayFault("body_too_large"));
    else if (request.destroyed) onGone();
  });
}

function holdMore(reading: Reading, bytes: number): void {
  if (reading.bytes + bytes > MAX_READING_BYTES) throw busy();
  reading.bytes += bytes;
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
    const isTooLarge = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
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
