/** Reads what the messages of one request share, and limits its size and that of each message. */
import { isObject, type JsonObject } from "./message.ts";
import { readTime } from "./times.ts";

/** Size of a message with what its batch shares, as JSON in UTF-8. */
export const MAX_MESSAGE_BYTES = 32 * 1024;
/** Size of all messages of a request, each with what its batch shares. */
export const MAX_REQUEST_BYTES = 8 * 1024 * 1024;

/** What a batch says once for all its messages. It fills in what a message lacks, key by key. */
export interface Shared {
  readonly context: JsonObject | undefined;
  readonly integrations: JsonObject | undefined;
  readonly sentAtMs: number | undefined;
  /** `["sentAt"]` if that time cannot be parsed. */
  readonly unreadableTimes: readonly string[];
  /** Size of context and integrations, as JSON in UTF-8. */
  readonly bytes: number;
}

const NONE: readonly string[] = Object.freeze([]);
const SENT_AT: readonly string[] = Object.freeze(["sentAt"]);

/** For a single message, which shares nothing. */
export const ALONE: Shared = Object.freeze({
  context: undefined,
  integrations: undefined,
  sentAtMs: undefined,
  unreadableTimes: NONE,
  bytes: 0,
});

/** Reads what the body of a batch shares, and measures it once. */
export function readShared({ context, integrations, sentAt }: JsonObject): Shared {
  const sentAtMs = readTime(sentAt);
  return {
    context: isObject(context) ? context : undefined,
    integrations: isObject(integrations) ? integrations : undefined,
    sentAtMs: typeof sentAtMs === "number" ? sentAtMs : undefined,
    unreadableTimes: sentAtMs === "unreadable" ? SENT_AT : NONE,
    bytes: (isObject(context) ? bytesOf(context) : 0) + (isObject(integrations) ? bytesOf(integrations) : 0),
  };
}

/** The most bytes that JSON needs for one UTF-16 unit of a string: `\u001f`. */
const MAX_BYTES_PER_CHAR = 6;
/** Quotes, colon, comma and a number or a word. */
const MAX_BYTES_BESIDE = 32;
/** How deep any field may nest, even one that is not kept. The plan's checks allow less. */
const MAX_LEVELS = 64;
const TOO_DEEP = Number.NEGATIVE_INFINITY;

export type SizeFault = "event_too_large" | "batch_too_large" | "too_deep";

/**
 * Returns why a message is too large, before anything is filled in or walked. What is shared counts for each message,
 * because a body of 1 MiB could otherwise grow to gigabytes.
 * @param index its position in the request, from 0
 */
export function sizeFaultOf(message: unknown, index: number, { bytes }: Shared): SizeFault | undefined {
  if (bytes > MAX_MESSAGE_BYTES) return "event_too_large";
  if (bytes * (index + 1) > MAX_REQUEST_BYTES) return "batch_too_large";
  const limitBytes = MAX_MESSAGE_BYTES - bytes;
  const leftBytes = bytesLeft(message, limitBytes, 1);
  if (leftBytes >= 0) return undefined;
  if (leftBytes === TOO_DEEP) return "too_deep";
  return bytesOf(message) > limitBytes ? "event_too_large" : undefined;
}

/**
 * Returns at least what remains of `left` bytes. The walk ends early, so almost no message has to be measured
 * exactly.
 */
function bytesLeft(value: unknown, left: number, level: number): number {
  if (level > MAX_LEVELS) return TOO_DEEP;
  if (typeof value === "string") return left - value.length * MAX_BYTES_PER_CHAR - MAX_BYTES_BESIDE;
  let rest = left - MAX_BYTES_BESIDE;
  if (typeof value !== "object" || value === null) return rest;
  const entries = value as { readonly [key: string]: unknown }; // works for the indexes of an array too
  for (const key in entries) {
    if (rest < 0) return rest;
    rest = bytesLeft(entries[key], rest - key.length * MAX_BYTES_PER_CHAR, level + 1);
  }
  return rest;
}

/** Size as JSON in UTF-8; infinite if it nests too deep to be written. */
function bytesOf(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
