/** Owns delivery.json, which records what became of the sent messages. */

import { isRecord } from "@candor/envelope/unknown-value";
import { readObject, replaceFileLater, signatureOf } from "../state/state-folder.ts";

/** What became of the sent messages, as delivery.json records it for operators. */
export interface Delivery {
  /** Messages that the collector accepted. */
  accepted: number;
  /** Messages that it did not keep, by its reason. */
  refused: { [reason: string]: number };
  /** Messages that became too old before they could be sent. */
  expired: number;
  /** Messages that were deleted because the outbox was full. */
  overflowed: number;
  /** RFC 3339. */
  lastSentAt: string | undefined;
  /** Why the last attempt failed; undefined if it did not. */
  lastFault: string | undefined;
  /** Until when the collector asked to be left alone; RFC 3339. Applies to every process on the folder. */
  notBefore: string | undefined;
  /** The address of the collector concerned, without a name or password. */
  collector: string | undefined;
}

/** The content of delivery.json; zeros if there is none. */
export function readDelivery(file: string): Delivery {
  const stored = readObject(file) ?? {};
  const { lastSentAt, lastFault, notBefore, collector, refused } = stored;
  return {
    accepted: countOf(stored.accepted),
    refused: isRecord(refused)
      ? Object.fromEntries(Object.entries(refused).map(([reason, count]) => [reason, countOf(count)]))
      : {},
    expired: countOf(stored.expired),
    overflowed: countOf(stored.overflowed),
    lastSentAt: typeof lastSentAt === "string" ? lastSentAt : undefined,
    lastFault: typeof lastFault === "string" ? lastFault : undefined,
    notBefore: typeof notBefore === "string" ? notBefore : undefined,
    collector: typeof collector === "string" ? collector : undefined,
  };
}

/** @throws a file system error */
export function writeDelivery(file: string, delivery: Delivery, mayReplace: () => boolean): Promise<void> {
  return replaceFileLater(file, `${JSON.stringify(delivery)}\n`, mayReplace);
}

function countOf(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/**
 * The content of delivery.json, for all processes on the folder. The file is read again only if it changed. Never
 * throws.
 */
export function watchDelivery(file: string): () => Delivery {
  let signature = "";
  let delivery = readDelivery(file);
  return () => {
    const now = signatureOf(file);
    if (now !== signature) delivery = readDelivery(file);
    signature = now;
    return delivery;
  };
}
