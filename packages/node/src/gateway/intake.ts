/** Owns the way of a request's messages into the outbox. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { sentMessageId } from "@candor/envelope/http";
import { type MessageReason, sizeFaultOf } from "@candor/envelope/wire";
import type { Draft } from "../message.ts";
import type { DropReason } from "../reasons.ts";
import { readMessage } from "./browser-message.ts";
import type { Delivery } from "./delivery.ts";
import type { DroppedMessage } from "./reasons.ts";

/** So many are taken in one go: the product's own requests come in between. */
const MESSAGES_PER_TURN = 25;

/** Puts a message into the outbox; the reason when it may not be. */
export type Recorder = (draft: Draft) => DropReason | undefined;

/** Takes the messages of a request in, in order. @returns those that were not kept */
export async function takeMessages(
  items: readonly unknown[],
  delivery: Delivery,
  record: Recorder,
): Promise<readonly DroppedMessage[]> {
  const dropped: DroppedMessage[] = [];
  for (const [index, item] of items.entries()) {
    if (index > 0 && index % MESSAGES_PER_TURN === 0) await nextTurn();
    const reason = sizeFaultOf(item, index, delivery.shared) ?? takeOne(readMessage(item, delivery), record);
    if (reason !== undefined) dropped.push({ index, messageId: sentMessageId(item), reason });
  }
  return dropped;
}

function takeOne(message: Draft | MessageReason, record: Recorder): DroppedMessage["reason"] | undefined {
  return typeof message === "string" ? message : record(message);
}
