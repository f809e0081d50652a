import { type JsonObject, type JsonValue, MESSAGE_TYPES, type Message, type MessageType } from "./message.ts";
import { parseTime } from "./times.ts";

/** Deepest nesting of objects and arrays in a message, the message itself being level 1. */
export const MAX_NESTING_LEVELS = 32;

/** A messageId has fewer characters than this. */
const MESSAGE_ID_LIMIT_CHARS = 100;

/** Why a message is not kept as one. The texts that go with them are in the server's reasons.ts. */
export type ParseReason =
  | "not_an_object"
  | "unknown_type"
  | "no_event"
  | "no_user_anon_id"
  | "message_id_too_long"
  | "properties_not_object"
  | "traits_not_object"
  | "context_not_object"
  | "too_deep"
  | "number_out_of_range";

/** What a batch says once for all its messages; fills what a message lacks, key by key. */
export interface BatchDefaults {
  readonly context: JsonObject | undefined;
  readonly integrations: JsonObject | undefined;
  readonly sentAtMs: number | undefined;
}

const NO_OBJECT: JsonObject = Object.freeze({});
const KNOWN_TYPES: ReadonlySet<unknown> = new Set(MESSAGE_TYPES);

/**
 * Reads one JSON value as a message, or says why it is none. Pure; never throws, whatever the value.
 * This is the one place where a JSON value becomes a typed message: the casts stand here and nowhere else.
 *
 * Fields outside the Segment spec (`_metadata`, `sequence`, `writeKey`...) are no error and are not kept.
 * @param type the type that the path names (`/v1/track`), which then counts over the message's own
 * @see https://segment.com/docs/connections/spec/common/
 */
export function parseMessage(item: unknown, batch: BatchDefaults, type?: MessageType): Message | ParseReason {
  if (!isObject(item)) return "not_an_object";
  const messageType = type ?? item.type;
  if (!isMessageType(messageType)) return "unknown_type";
  const event = textOf(item.event);
  if (messageType === "track" && event === undefined) return "no_event";
  const ids = identityOf(item);
  if (!isIdentified(messageType, ids)) return "no_user_anon_id";
  const messageId = idOf(item.messageId);
  if (messageId !== undefined && messageId.length >= MESSAGE_ID_LIMIT_CHARS) return "message_id_too_long";

  const properties = item.properties ?? undefined;
  if (properties !== undefined && !isObject(properties)) return "properties_not_object";
  const traits = item.traits ?? undefined;
  if (traits !== undefined && !isObject(traits)) return "traits_not_object";
  const context = item.context ?? undefined;
  if (context !== undefined && !isObject(context)) return "context_not_object";
  const message: Message = {
    type: messageType,
    event: messageType === "track" ? event : undefined,
    name: textOf(item.name),
    category: textOf(item.category),
    messageId,
    ...ids,
    properties: properties ?? (carriesProperties(messageType) ? {} : undefined),
    traits: traits ?? (messageType === "identify" || messageType === "group" ? {} : undefined),
    context: filled(context, batch.context),
    integrations: filled(isObject(item.integrations) ? item.integrations : undefined, batch.integrations),
    originalTimestampMs: parseTime(item.timestamp) ?? parseTime(item.originalTimestamp),
    sentAtMs: batch.sentAtMs ?? parseTime(item.sentAt),
  };
  return faultOf(message) ?? message;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isMessageType(value: unknown): value is MessageType {
  return KNOWN_TYPES.has(value);
}

function carriesProperties(type: MessageType): boolean {
  return type === "track" || type === "page" || type === "screen";
}

/** A non-empty string, or undefined. */
function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** An id: a non-empty string; several clients send numbers, which become their digits. */
function idOf(value: unknown): string | undefined {
  return typeof value === "number" && Number.isFinite(value) ? String(value) : textOf(value);
}

type Identity = Pick<Message, "userId" | "anonymousId" | "groupId" | "previousId">;

function identityOf(item: JsonObject): Identity {
  return {
    userId: idOf(item.userId),
    anonymousId: idOf(item.anonymousId),
    groupId: idOf(item.groupId),
    previousId: idOf(item.previousId),
  };
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

/** Judges what the message would keep, and nothing else of the item: unknown fields are not walked. */
function faultOf(message: Message): ParseReason | undefined {
  return (
    (message.properties && valueFault(message.properties, 2)) ??
    (message.traits && valueFault(message.traits, 2)) ??
    valueFault(message.context, 2) ??
    valueFault(message.integrations, 2)
  );
}

/**
 * Walks a value whose own nesting level is `level`. Recursion ends at the limit, so that a hostile depth costs
 * 32 frames. JSON allows `1e400`, which JavaScript reads as Infinity and would write back as null: refused
 * rather than changed.
 */
function valueFault(value: JsonObject | JsonValue[], level: number): ParseReason | undefined {
  if (level > MAX_NESTING_LEVELS) return "too_deep";
  const entries: { readonly [key: string]: JsonValue } = value as JsonObject; // an array's places are keys like others
  for (const key in entries) {
    const inner = entries[key];
    if (typeof inner === "object" && inner !== null) {
      const fault = valueFault(inner, level + 1);
      if (fault !== undefined) return fault;
    } else if (typeof inner === "number" && !Number.isFinite(inner)) return "number_out_of_range";
  }
  return undefined;
}
