/** Reads browsers' messages as the collector does, has them recorded, and says why a message is not kept. */
import type { IncomingMessage } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isPromise } from "node:util/types";
import { type RequestBody, sentMessageId } from "@candor/envelope/http";
import { isRecord, toText } from "@candor/envelope/unknown-value";
import {
  HASHED_MESSAGE_ID,
  isPlainMessageId,
  type JsonObject,
  type MessageReason,
  type MessageType,
  parseMessage,
  readShared,
  resolveTimestamp,
  type Shared,
  sizeFaultOf,
} from "@candor/envelope/wire";
import { eventKey, toCanonicalAddress } from "@candor/plan/runtime";
import type { Core } from "../core.ts";
import { type Draft, InstanceIdPlace } from "../message.ts";
import { copyPlain, type Json } from "../plain-copy.ts";
import type { DropReason } from "../reasons.ts";
import type { DroppedMessage } from "./answer.ts";
import type { GatewayRequest } from "./request.ts";

/** Returns the browser's address, for a product behind a reverse proxy. */
export type ClientAddress = (request: IncomingMessage) => string | undefined;

/** What the messages of a request share. */
export interface Arrival {
  /** The type that the path implies, which overrides the message's own; undefined for a batch. */
  readonly type: MessageType | undefined;
  /** What the body of a batch sets for each of its messages. */
  readonly shared: Shared;
  readonly receivedAtMs: number;
  readonly retryCount: number;
  /**
   * Becomes `context.ip` if the browser sent none; undefined if unknown, or if the plan does not declare it.
   */
  readonly address: string | undefined;
  /**
   * From the request's header. Becomes `context.userAgent` if the message has none; undefined if there is no
   * such header, or if the plan does not declare it.
   */
  readonly userAgent: string | undefined;
  /** Hashes a value with the instance's secret, as hex; undefined while there is no instance. */
  readonly keyedHash: ((value: string) => string) | undefined;
  readonly idPlace: InstanceIdPlace;
  /** The current instance's id; undefined while there is no instance. */
  readonly instanceId: () => string | undefined;
}

export interface ArrivalSource {
  readonly request: GatewayRequest;
  readonly body: RequestBody;
  /** The type that the path implies. */
  readonly type: MessageType | undefined;
  readonly core: Core;
  readonly receivedAtMs: number;
  readonly address: string | undefined;
}

/**
 * Reads what the messages of a request share. Includes the address and the user agent only if the plan
 * declares them.
 */
export function readArrival(source: ArrivalSource): Arrival {
  const { request, body, type, core, receivedAtMs } = source;
  const isBatch = body.batch !== undefined;
  const declared = core.settings.plan.sources.client?.context ?? {};
  return {
    type: isBatch ? undefined : type,
    shared: readShared(isBatch ? sharedOf(body.value) : {}),
    receivedAtMs,
    retryCount: Number(request.headers["x-retry-count"] ?? 0),
    address: declared.ip === undefined ? undefined : source.address,
    userAgent: declared.userAgent === undefined ? undefined : request.headers["user-agent"],
    keyedHash: core.session?.instance.keyedHash,
    idPlace: new InstanceIdPlace(core.settings.plan, "client"),
    instanceId: () => core.session?.instance.instanceId,
  };
}

function sharedOf({ context, sentAt }: { readonly [key: string]: unknown }): JsonObject {
  const times = typeof sentAt === "string" ? { sentAt } : {};
  return isRecord(context) ? { ...times, context: copyPlain(context) } : times;
}

/**
 * The browser's address in canonical spelling; undefined if unknown. The core applies the plan's policy to
 * it.
 */
export function addressOf(
  request: IncomingMessage,
  clientAddress: ClientAddress | undefined,
): string | undefined {
  const address = clientAddress === undefined ? request.socket.remoteAddress : ask(clientAddress, request);
  return typeof address === "string" ? toCanonicalAddress(address) : undefined;
}

function ask(clientAddress: ClientAddress, request: IncomingMessage): unknown {
  try {
    const address: unknown = clientAddress(request);
    // If it is asynchronous by mistake, its rejection must not end the process.
    if (isPromise(address)) address.catch(() => {});
    return address;
  } catch {
    return undefined; // The product's own function threw.
  }
}

/** The number of messages processed before the product's own requests get a turn. */
const MESSAGES_PER_TURN = 25;

/** Records a message. @returns the reason if the message was dropped */
export type Recorder = (draft: Draft) => DropReason | undefined;

/**
 * Records the messages of a request, in order.
 * @param onUnreadable called for each message that cannot be recorded, because it is not as the API wants it
 * @returns the messages that were not kept, for either reason
 */
export async function takeMessages(
  items: readonly unknown[],
  arrival: Arrival,
  record: Recorder,
  onUnreadable: (reason: MessageReason) => void,
): Promise<readonly DroppedMessage[]> {
  const dropped: DroppedMessage[] = [];
  for (const [index, item] of items.entries()) {
    if (index > 0 && index % MESSAGES_PER_TURN === 0) await nextTurn();
    const message = sizeFaultOf(item, index, arrival.shared) ?? readMessage(item, arrival);
    if (typeof message === "string") onUnreadable(message);
    const reason = typeof message === "string" ? message : record(message);
    if (reason !== undefined) dropped.push({ index, messageId: sentMessageId(item), reason });
  }
  return dropped;
}

/** In hex digits, as long as the collector's own pseudonyms. */
const HASH_LENGTH = 32;

/**
 * Reads a browser's message as the collector would, or returns the reason why it cannot be kept. Never
 * throws. The core applies the plan later. The timestamp is corrected here, because the outbox may be
 * delivered days later.
 */
export function readMessage(item: unknown, arrival: Arrival): Draft | MessageReason {
  const plain = copyItem(item);
  if (typeof plain === "string") return plain;
  const { shared, receivedAtMs, retryCount } = arrival;
  const message = parseMessage(plain, shared, arrival.type);
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
    values: claim({ type, name }, values, arrival),
    context: complete(message.context, arrival),
    timestampMs: resolveTimestamp(times),
    messageId: message.messageId === undefined ? undefined : reduceMessageId(message.messageId, arrival),
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
 * Sets the instance's id if the plan declares it. An id that the browser sent is ignored: its message must
 * not be attributed to another instance, which could then read and delete the message.
 */
function claim(
  message: Pick<Draft, "type" | "name">,
  values: { [name: string]: Json },
  { idPlace, instanceId }: Arrival,
): { [name: string]: Json } {
  if (!idPlace.isDeclaredIn(eventKey(message.type, message.name))) return values; // undeclared values are never sent
  const { [idPlace.name]: _claimed, ...others } = values;
  const id = instanceId();
  return id === undefined ? others : { ...others, [idPlace.name]: id };
}

function complete(
  context: { [name: string]: Json },
  { address, userAgent }: Arrival,
): { [name: string]: Json } {
  const lacksAddress = address !== undefined && toText(context.ip) === undefined;
  const lacksUserAgent = userAgent !== undefined && toText(context.userAgent) === undefined;
  return {
    ...context,
    ...(lacksAddress ? { ip: address } : {}),
    ...(lacksUserAgent ? { userAgent } : {}),
  };
}

/**
 * Some clients put addresses or keys into messageIds. A messageId that is not plainly an id is therefore
 * replaced by its keyed hash, which still identifies a repeated message. Returns undefined if there is no
 * instance to hash with, so that a new id has to be made.
 */
function reduceMessageId(messageId: string, { keyedHash }: Arrival): string | undefined {
  if (isPlainMessageId(messageId)) return messageId;
  return keyedHash && `${HASHED_MESSAGE_ID}${keyedHash(messageId).slice(0, HASH_LENGTH)}`;
}
