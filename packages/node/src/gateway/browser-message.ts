import type { Draft } from "../message.ts";
import { copyPlain } from "../plain-copy.ts";
import { isRecord } from "../state/state-folder.ts";
import type { Delivery } from "./delivery.ts";
import { MESSAGE_ID_LIMIT_CHARS, reduceMessageId } from "./message-id.ts";
import type { IntakeReason } from "./reasons.ts";
import { parseTime, resolveTimestamp } from "./times.ts";

type Item = { readonly [key: string]: unknown };

/**
 * Reads what a browser sent as one message of Segment's Tracking API, or says why it is none. Never throws. What the plan
 * allows of it is for the core to say.
 * @see https://segment.com/docs/connections/spec/common/
 */
export function readMessage(item: unknown, delivery: Delivery): Draft | IntakeReason {
  if (!isRecord(item)) return "not_an_object";
  const type = delivery.type ?? item.type;
  if (!isDraftType(type)) return "unknown_type";
  const name = textOf(type === "track" ? item.event : item.name);
  if (type === "track" && name === undefined) return "no_event";
  const ids = {
    userId: idOf(item.userId),
    anonymousId: idOf(item.anonymousId),
    groupId: type === "group" ? idOf(item.groupId) : undefined,
  };
  if (Object.values(ids).every((id) => id === undefined)) return "no_user_anon_id";
  const messageId = idOf(item.messageId);
  if (messageId !== undefined && messageId.length >= MESSAGE_ID_LIMIT_CHARS) return "message_id_too_long";
  const content = contentOf(item, type, delivery);
  if (typeof content === "string") return content;
  return {
    type,
    name: type === "identify" || type === "group" ? undefined : name,
    ...ids,
    ...content,
    timestampMs: timestampOf(item, delivery),
    messageId: messageId === undefined ? undefined : reduceMessageId(messageId, delivery.keyedHash),
  };
}

/** Values and context, as plain JSON; the reason when they are not what they have to be. */
function contentOf(
  item: Item,
  type: Draft["type"],
  delivery: Delivery,
): Pick<Draft, "values" | "context"> | IntakeReason {
  const { properties, traits, context } = item;
  if (!isObjectOrAbsent(properties)) return "properties_not_object";
  if (!isObjectOrAbsent(traits)) return "traits_not_object";
  if (!isObjectOrAbsent(context)) return "context_not_object";
  const values = (type === "identify" || type === "group" ? traits : properties) ?? {};
  try {
    const { values: plainValues, context: plainContext } = copyPlain({
      values,
      context: complete({ ...delivery.context, ...context }, delivery),
    });
    if (!isRecord(plainValues) || !isRecord(plainContext)) return "not_an_object";
    return { values: plainValues, context: plainContext };
  } catch {
    return "too_deep";
  }
}

function complete(context: Item, { address, userAgent }: Delivery): Item {
  const lacksAddress = address !== undefined && !isText(context.ip);
  const lacksUserAgent = userAgent !== undefined && !isText(context.userAgent);
  return {
    ...context,
    ...(lacksAddress ? { ip: address } : {}),
    ...(lacksUserAgent ? { userAgent } : {}),
  };
}

function timestampOf(item: Item, { sentAtMs, receivedAtMs, retryCount }: Delivery): number {
  return resolveTimestamp({
    originalMs: parseTime(item.timestamp) ?? parseTime(item.originalTimestamp),
    sentAtMs: sentAtMs ?? parseTime(item.sentAt),
    receivedAtMs,
    retryCount,
  });
}

function isDraftType(type: unknown): type is Draft["type"] {
  return type === "track" || type === "identify" || type === "page" || type === "screen" || type === "group";
}

function isObjectOrAbsent(value: unknown): value is Item | null | undefined {
  return value === undefined || value === null || isRecord(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function textOf(value: unknown): string | undefined {
  return isText(value) ? value : undefined;
}

/** Several clients send numbers as ids: they become their digits. */
function idOf(value: unknown): string | undefined {
  return typeof value === "number" && Number.isFinite(value) ? String(value) : textOf(value);
}
