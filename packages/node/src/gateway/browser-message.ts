/** Owns how a browser's message is read, as the collector reads it. */
import {
  HASHED_MESSAGE_ID,
  isPlainMessageId,
  type MessageReason,
  parseMessage,
  resolveTimestamp,
} from "@candor/envelope/wire";
import { isRecord } from "../json.ts";
import type { Draft } from "../message.ts";
import { copyPlain, type Json } from "../plain-copy.ts";
import type { Delivery } from "./delivery.ts";

/** As the collector's own pseudonyms. */
const HASH_LENGTH = 32;

/**
 * Reads what a browser sent, as the collector reads it, or says why it is no message. Never throws. What the plan allows of
 * it is for the core to say. The time is corrected here, because the outbox may be delivered days later.
 */
export function readMessage(item: unknown, delivery: Delivery): Draft | MessageReason {
  const plain = copyItem(item);
  if (typeof plain === "string") return plain;
  const { shared, receivedAtMs, retryCount } = delivery;
  const message = parseMessage(plain, shared, delivery.type);
  if (typeof message === "string") return message;
  const { type, userId, anonymousId, groupId, properties, traits, originalTimestampMs } = message;
  if (type === "alias") return "unknown_type";
  const times = { receivedAtMs, originalTimestampMs, sentAtMs: message.sentAtMs, retryCount };
  const name = nameOf(message);
  const values = (type === "identify" || type === "group" ? traits : properties) ?? {};
  return {
    type,
    name,
    userId,
    anonymousId,
    groupId: type === "group" ? groupId : undefined,
    values: claim({ type, name }, values, delivery),
    context: complete(message.context, delivery),
    timestampMs: resolveTimestamp(times),
    messageId: message.messageId === undefined ? undefined : reduceMessageId(message.messageId, delivery),
  };
}

function copyItem(item: unknown): { [name: string]: Json } | MessageReason {
  try {
    return isRecord(item) ? copyPlain(item) : "not_an_object";
  } catch {
    return "too_deep";
  }
}

function nameOf({
  type,
  event,
  name,
}: {
  type: string;
  event: string | undefined;
  name: string | undefined;
}) {
  if (type === "track") return event;
  return type === "page" || type === "screen" ? name : undefined;
}

/**
 * Sets the instance's id where the plan declares it. What a browser says of it never counts: it must not pass for another
 * instance, which could then read and delete the message.
 */
function claim(
  message: Pick<Draft, "type" | "name">,
  values: { [name: string]: Json },
  { idPlace, instanceId }: Delivery,
): { [name: string]: Json } {
  if (!idPlace.isDeclaredIn(message)) return values; // what is not declared never leaves
  const { [idPlace.name]: _claimed, ...others } = values;
  const id = instanceId();
  return id === undefined ? others : { ...others, [idPlace.name]: id };
}

function complete(
  context: { [name: string]: Json },
  { address, userAgent }: Delivery,
): { [name: string]: Json } {
  const lacksAddress = address !== undefined && !isText(context.ip);
  const lacksUserAgent = userAgent !== undefined && !isText(context.userAgent);
  return {
    ...context,
    ...(lacksAddress ? { ip: address } : {}),
    ...(lacksUserAgent ? { userAgent } : {}),
  };
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

/**
 * People put addresses and keys into messageIds: one that is not plainly an id is kept as its keyed hash, so that a message
 * that is sent twice is still known by it. Undefined: a new one is made.
 */
function reduceMessageId(messageId: string, { keyedHash }: Delivery): string | undefined {
  if (isPlainMessageId(messageId)) return messageId;
  return keyedHash && `${HASHED_MESSAGE_ID}${keyedHash(messageId).slice(0, HASH_LENGTH)}`;
}
