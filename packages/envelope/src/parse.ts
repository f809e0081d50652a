/** Parses one JSON value as a message, or returns the reason why it is not one. */
import { isObject, type JsonObject, MESSAGE_TYPES, type Message, type MessageType } from "./message.ts";
import type { Shared } from "./shared.ts";
import { isIsoTime, readTime } from "./times.ts";
import { toText } from "./unknown-value.ts";

/** The length of a messageId must be below this limit. */
const MESSAGE_ID_LIMIT_CHARS = 100;
/** The largest count that fits in the store's column. */
const MAX_COUNT = 2 ** 32 - 1;

/** Why a value is not a valid message. message-reasons.ts contains the sentences. */
export type ParseReason =
  | "not_an_object"
  | "unknown_type"
  | "no_event"
  | "no_user_anon_id"
  | "message_id_too_long"
  | "properties_not_object"
  | "traits_not_object"
  | "context_not_object"
  | "number_out_of_range";

const NO_OBJECT: JsonObject = Object.freeze({});
const KNOWN_TYPES: ReadonlySet<unknown> = new Set(MESSAGE_TYPES);

/**
 * Parses one JSON value as a message, or returns the reason why it is not one. Pure; never throws, whatever
 * the value. No other function turns a JSON value into a typed message.
 *
 * Fields outside the Segment spec (`_metadata`, `sequence`, `writeKey`...) are allowed but, except for
 * `candor`, not kept.
 * @param shared what the batch states for all of its messages
 * @param type the type named by the path (`/v1/track`), which overrides the message's own type
 * @see https://segment.com/docs/connections/spec/common/
 */
export function parseMessage(item: unknown, shared: Shared, type?: MessageType): Message | ParseReason {
  if (!isObject(item)) return "not_an_object";
  const messageType = type ?? item.type;
  if (!isMessageType(messageType)) return "unknown_type";
  const event = toText(item.event);
  if (messageType === "track" && event === undefined) return "no_event";
  const ids = identityOf(item);
  if (ids === undefined) return "number_out_of_range";
  if (!isIdentified(messageType, ids)) return "no_user_anon_id";
  const messageId = idOf(item.messageId);
  if (messageId === INEXACT) return "number_out_of_range";
  if (messageId !== undefined && messageId.length >= MESSAGE_ID_LIMIT_CHARS) return "message_id_too_long";

  const properties = item.properties ?? undefined;
  if (properties !== undefined && !isObject(properties)) return "properties_not_object";
  const traits = item.traits ?? undefined;
  if (traits !== undefined && !isObject(traits)) return "traits_not_object";
  const context = item.context ?? undefined;
  if (context !== undefined && !isObject(context)) return "context_not_object";
  const times = timesOf(item, shared);
  return {
    type: messageType,
    event: messageType === "track" ? event : undefined,
    name: toText(item.name),
    category: toText(item.category),
    messageId,
    userId: ids.userId,
    anonymousId: ids.anonymousId,
    groupId: ids.groupId,
    previousId: ids.previousId,
    properties: properties ?? (carriesProperties(messageType) ? {} : undefined),
    traits: traits ?? (messageType === "identify" || messageType === "group" ? {} : undefined),
    context: filled(context, shared.context),
    integrations: filled(isObject(item.integrations) ? item.integrations : undefined, shared.integrations),
    originalTimestampMs: times.originalMs,
    originalTimestamp: times.original,
    sentAtMs: times.sentAtMs,
    unreadableTimes: times.unreadable,
    planVersion: countIn(item.candor, "planVersion"),
    skipped: countIn(item.candor, "skipped"),
  };
}

function isMessageType(value: unknown): value is MessageType {
  return KNOWN_TYPES.has(value);
}

function carriesProperties(type: MessageType): boolean {
  return type === "track" || type === "page" || type === "screen";
}

/** Stands for an id that was sent as a number too large to be exact. */
const INEXACT = Symbol("inexact");

/**
 * Returns an id, which is a non-empty string; undefined if there is none. Several clients send numbers, which
 * are converted to text. Beyond 2^53, two different ids could become equal, so such a number yields
 * `INEXACT`.
 */
function idOf(value: unknown): string | undefined | typeof INEXACT {
  if (typeof value !== "number") return toText(value);
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER ? String(value) : INEXACT;
}

type Identity = Pick<Message, "userId" | "anonymousId" | "groupId" | "previousId">;

function identityOf(item: JsonObject): Identity | undefined {
  const userId = idOf(item.userId);
  const anonymousId = idOf(item.anonymousId);
  const groupId = idOf(item.groupId);
  const previousId = idOf(item.previousId);
  if (userId === INEXACT || anonymousId === INEXACT || groupId === INEXACT || previousId === INEXACT)
    return undefined;
  return { userId, anonymousId, groupId, previousId };
}

function isIdentified(type: MessageType, ids: Identity): boolean {
  if (ids.userId !== undefined || ids.anonymousId !== undefined) return true;
  if (type === "group") return ids.groupId !== undefined;
  return type === "alias" && ids.previousId !== undefined;
}

function filled(own: JsonObject | undefined, batch: JsonObject | undefined): JsonObject {
  if (batch === undefined) return own ?? NO_OBJECT;
  return own === undefined ? batch : { ...batch, ...own };
}

interface Times {
  readonly originalMs: number | undefined;
  readonly original: string | undefined;
  readonly sentAtMs: number | undefined;
  readonly unreadable: readonly string[];
}

/**
 * Reads the times of a message. `timestamp` takes precedence over `originalTimestamp`, and the batch's
 * `sentAt` over the message's own, unless the first of the two is absent or cannot be parsed.
 */
function timesOf(item: JsonObject, shared: Shared): Times {
  const timestamp = readTime(item.timestamp);
  const original = typeof timestamp === "number" ? timestamp : readTime(item.originalTimestamp);
  const sentAt = shared.sentAtMs ?? readTime(item.sentAt);
  let unreadable = shared.unreadableTimes;
  if (timestamp === "unreadable") unreadable = [...unreadable, "timestamp"];
  if (original === "unreadable") unreadable = [...unreadable, "originalTimestamp"];
  if (sentAt === "unreadable") unreadable = [...unreadable, "sentAt"];
  const text = typeof timestamp === "number" ? item.timestamp : item.originalTimestamp;
  return {
    originalMs: typeof original === "number" ? original : undefined,
    original: typeof original === "number" && isIsoTime(text) ? text : undefined,
    sentAtMs: typeof sentAt === "number" ? sentAt : undefined,
    unreadable,
  };
}

/**
 * Reads a count from `candor: {planVersion, skipped?}`, which Candor's SDKs send. Ignores anything but a
 * positive 32-bit integer.
 */
function countIn(candor: unknown, name: "planVersion" | "skipped"): number | undefined {
  const count = isObject(candor) ? candor[name] : undefined;
  const isCount = typeof count === "number" && Number.isInteger(count) && count > 0 && count <= MAX_COUNT;
  return isCount ? count : undefined;
}
