/** Owns delivery.json: what became of what was sent. */

import { readObject, replaceFileLater, signatureOf } from "../state/state-folder.ts";
import { isRecord } from "../unknown-value.ts";

/** What became of what was sent, as delivery.json keeps it for operators. */
export interface Delivery {
  /** Messages that the collector took. */
  accepted: number;
  /** Messages that it did not keep, by its reason. */
  refused: { [reason: string]: number };
  /** Messages that were too old before they could be sent. */
  expired: number;
  /** Messages that were deleted because the outbox was full. */
  overflowed: number;
  /** RFC 3339. */
  lastSentAt: string | undefined;
  /** Why the last try failed; undefined: it did not. */
  lastFault: string | undefined;
  /** Until when the collector asked to be left alone; RFC 3339. It holds for every process on the folder. */
  notBefore: string | undefined;
  /** The address of the collector that all this is about, without a name or password. */
  collector: string | undefined;
}

/** What delivery.json says; zeros when there is none. */
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

/** @throws the file system's error */
export function writeDelivery(file: string, delivery: Delivery, mayReplace: () => boolean): Promise<void> {
  return replaceFileLater(file, `${JSON.stringify(delivery)}\n`, mayReplace);
}

function countOf(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/**
 * What delivery.json says of all processes on the folder. The file is read again only when another one lies there. Never
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
