import { setImmediate as nextTurn } from "node:timers/promises";
import { isRecord } from "../json.ts";
import { type Draft, MAX_MESSAGE_BYTES } from "../message.ts";
import type { DropReason } from "../reasons.ts";
import { readMessage } from "./browser-message.ts";
import type { Delivery } from "./delivery.ts";
import type { DroppedMessage, IntakeReason } from "./reasons.ts";

/** A batch's context is filled into each of its messages: a body of 1 MiB could become gigabytes. */
const MAX_FILLED_BYTES = 8 * 1024 * 1024;
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
  const sharedBytes = (bytesOf(delivery.context) ?? Number.POSITIVE_INFINITY) - "{}".length;
  let filledBytes = 0;
  for (const [index, item] of items.entries()) {
    if (index > 0 && index % MESSAGES_PER_TURN === 0) await nextTurn();
    const ownBytes = bytesOf(item);
    const bytes = (ownBytes ?? 0) + sharedBytes;
    filledBytes += bytes;
    const reason =
      ownBytes === undefined
        ? "too_deep"
        : (sizeFault(bytes, filledBytes) ?? takeOne(readMessage(item, delivery), record));
    if (reason !== undefined) dropped.push({ index, messageId: sentMessageId(item), reason });
  }
  return dropped;
}

function sizeFault(bytes: number, filledBytes: number): IntakeReason | undefined {
  if (bytes > MAX_MESSAGE_BYTES) return "event_too_large";
  return filledBytes > MAX_FILLED_BYTES ? "batch_too_large" : undefined;
}

function takeOne(message: Draft | IntakeReason, record: Recorder): DroppedMessage["reason"] | undefined {
  return typeof message === "string" ? message : record(message);
}

/** Its length as JSON; undefined when it is nested too deep to be written. */
function bytesOf(value: unknown): number | undefined {
  try {
    return Buffer.byteLength(JSON.stringify(value) ?? "");
  } catch {
    return undefined;
  }
}

function sentMessageId(item: unknown): string | null {
  return isRecord(item) && typeof item.messageId === "string" ? item.messageId : null;
}
