/** Reads what the messages of a request share, and limits the sizes of the request and of each message. */
import { isObject, type JsonObject } from "./message.ts";
import { readTime } from "./times.ts";

/** The size limit of a message, including what its batch shares, as JSON in UTF-8. */
export const MAX_MESSAGE_BYTES = 32 * 1024;
/** The limit for the size of what a batch shares, times the number of messages that share it. */
export const MAX_REQUEST_BYTES = 8 * 1024 * 1024;

/**
 * What a batch states once for all of its messages. If a message's own `context` or `integrations` lacks a
 * key, the key is taken from the batch.
 */
export interface Shared {
  readonly context: JsonObject | undefined;
  readonly integrations: JsonObject | undefined;
  readonly sentAtMs: number | undefined;
  /** `["sentAt"]` if the batch's `sentAt` cannot be parsed. */
  readonly unreadableTimes: readonly string[];
  /** The size of `context` and `integrations`, as JSON in UTF-8. */
  readonly bytes: number;
}

const NONE: readonly string[] = Object.freeze([]);
const SENT_AT: readonly string[] = Object.freeze(["sentAt"]);

/** The value for a single message, which shares nothing. */
export const ALONE: Shared = Object.freeze({
  context: undefined,
  integrations: undefined,
  sentAtMs: undefined,
  unreadableTimes: NONE,
  bytes: 0,
});

/** Reads what the body of a batch shares, and measures its size once. */
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

/** The most bytes that JSON needs for one UTF-16 code unit of a string: `\u001f`. */
const MAX_BYTES_PER_CHAR = 6;
/** The most bytes that JSON needs for quotes, colon, comma, and a number or a literal. */
const MAX_BYTES_BESIDE = 32;
/** The deepest nesting of any field, even of one that is not kept. The plan's checks allow less. */
const MAX_LEVELS = 64;
const TOO_DEEP = Number.NEGATIVE_INFINITY;

export type SizeFault = "event_too_large" | "batch_too_large" | "too_deep";

/**
 * Returns why a message is too large or too deep; undefined if it is neither. Runs before the message is
 * completed from the batch and checked against the plan. What the batch shares counts for each message,
 * because a body of 1 MiB could otherwise grow to gigabytes.
 * @param index the message's position in the request, from 0
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
 * Returns a lower bound of what remains of `left` bytes after the value is written as JSON; TOO_DEEP if it
 * nests too deep. Stops when nothing remains. With this bound, almost no message has to be measured exactly.
 */
function bytesLeft(value: unknown, left: number, level: number): number {
  if (level > MAX_LEVELS) return TOO_DEEP;
  if (typeof value === "string") return left - value.length * MAX_BYTES_PER_CHAR - MAX_BYTES_BESIDE;
  let rest = left - MAX_BYTES_BESIDE;
  if (typeof value !== "object" || value === null) return rest;
  const entries = value as { readonly [key: string]: unknown }; // also works for the indexes of an array
  for (const key in entries) {
    if (rest < 0) return rest;
    rest = bytesLeft(entries[key], rest - key.length * MAX_BYTES_PER_CHAR, level + 1);
  }
  return rest;
}

/** The size as JSON in UTF-8; infinite if the value nests too deep to be serialised. */
function bytesOf(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
