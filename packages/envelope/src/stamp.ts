/** Stamps a message: assigns ids and times, which makes it an envelope. */
import type { Envelope, JsonObject, Message } from "./message.ts";
import { isPlainMessageId } from "./message-id.ts";
import { resolveTimestamp, toIsoTime } from "./times.ts";

/** What the collector knows about a request when it stamps its messages. */
export interface Reception {
  readonly receivedAtMs: number;
  /** `receivedAtMs` as text, formatted once for all messages of a request. */
  readonly receivedAt: string;
  /** The client's `X-Retry-Count`; 0 for the first attempt. */
  readonly retryCount: number;
  /**
   * The peer's address, which becomes `context.ip` if the client sent none; undefined if the source's peer
   * address is not kept.
   */
  readonly peerAddress: string | undefined;
}

/** Creates ids. Passed in, so that tests can use fixed ids. */
export interface IdSource {
  /** Returns a new unique id of `[A-Za-z0-9._:-]`, shorter than 100 characters. */
  newMessageId(atMs: number): string;
  /**
   * Hashes an id under a secret key, so that the result can be neither reversed nor guessed. The same id
   * always has the same hash. The result has the characters and the maximum length of a new id.
   */
  hashMessageId(messageId: string): string;
}

/**
 * Makes a message's envelope: assigns ids and times, and the peer's address where it is kept. Some clients
 * put addresses into messageIds, so a messageId that is not certainly an id is kept only as its hash. Pure
 * except for `ids`; never throws.
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
