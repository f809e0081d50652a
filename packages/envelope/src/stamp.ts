/** Stamps a message: gives it ids and times, and so makes its envelope. */
import type { Envelope, JsonObject, Message } from "./message.ts";
import { isPlainMessageId } from "./message-id.ts";
import { resolveTimestamp, toIsoTime } from "./times.ts";

/** What the collector knows about a request when it stamps its messages. */
export interface Reception {
  readonly receivedAtMs: number;
  /** `receivedAtMs` as text, formatted once for all messages of a request. */
  readonly receivedAt: string;
  /** The client's `X-Retry-Count`; 0 for its first attempt. */
  readonly retryCount: number;
  /** Becomes `context.ip` if the client gave none; undefined if the source's peer address is not kept. */
  readonly peerAddress: string | undefined;
}

/** Makes ids; passed in, so that tests can fix them. */
export interface IdSource {
  /** A new unique id of `[A-Za-z0-9._:-]`, shorter than 100 characters. */
  newMessageId(atMs: number): string;
  /**
   * Returns the same text for the same id, under a secret key, so that it can be neither reversed nor guessed. Same
   * alphabet and length as a new id.
   */
  hashMessageId(messageId: string): string;
}

/**
 * Makes the envelope of a message: ids, times, and the peer's address where it is kept. People put addresses into
 * messageIds, so any that is not plainly an id is kept only as its hash. Pure except for `ids`; never throws.
 */
export function stampMessage(message: Message, reception: Reception, ids: IdSource): Envelope {
  const { originalTimestampMs, sentAtMs } = message;
  const { receivedAtMs, receivedAt, retryCount } = reception;
  const timestampMs = resolveTimestamp({ receivedAtMs, originalTimestampMs, sentAtMs, retryCount });
  return {
    anonymousId: message.anonymousId,
    category: message.category,
    context: withAddress(message.context, reception.peerAddress),
    event: message.event,
    groupId: message.groupId,
    integrations: message.integrations,
    messageId: stampMessageId(message.messageId, receivedAtMs, ids),
    name: message.name,
    originalTimestamp:
      message.originalTimestamp ??
      (originalTimestampMs === undefined ? undefined : toIsoTime(originalTimestampMs)),
    previousId: message.previousId,
    properties: message.properties,
    receivedAt,
    sentAt: sentAtMs === undefined ? undefined : toIsoTime(sentAtMs),
    timestamp: timestampMs === receivedAtMs ? receivedAt : toIsoTime(timestampMs),
    traits: message.traits,
    type: message.type,
    userId: message.userId,
  };
}

function stampMessageId(messageId: string | undefined, atMs: number, ids: IdSource): string {
  if (messageId === undefined) return ids.newMessageId(atMs);
  return isPlainMessageId(messageId) ? messageId : ids.hashMessageId(messageId);
}

function withAddress(context: JsonObject, peerAddress: string | undefined): JsonObject {
  const { ip } = context;
  if (peerAddress === undefined || (ip !== undefined && ip !== null && ip !== "")) return context;
  return { ...context, ip: peerAddress };
}
