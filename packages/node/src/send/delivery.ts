/** Owns delivery.json, which records what became of the messages, for operators and other processes. */

import { isRecord } from "@candor/envelope/unknown-value";
import { readObject, replaceFileLater, signatureOf } from "../state/state-folder.ts";

/** The content of delivery.json, which all processes on the folder share. */
export interface Delivery {
  /** The number of messages that the collector accepted. */
  accepted: number;
  /**
   * The number of messages that the collector did not keep, by its reason, or by `http_400` or `http_413` if
   * it rejected the whole request.
   */
  refused: { [reason: string]: number };
  /** The number of messages that became too old before they could be sent. */
  expired: number;
  /** The number of messages that were deleted because the outbox was full. */
  overflowed: number;
  /** When the collector last received messages, RFC 3339; undefined if never. */
  lastSentAt: string | undefined;
  /** Why the last attempt failed; undefined if it succeeded, or if there was none. */
  lastFault: string | undefined;
  /**
   * The time until which the collector asked not to be contacted, RFC 3339. Applies to every process that
   * uses the folder.
   */
  notBefore: string | undefined;
  /**
   * The URL of the collector to which messages were last sent, without a name or password. The numbers also
   * count what went to earlier ones.
   */
  collector: string | undefined;
  /**
   * A reading of the machine's clock, from which later processes detect that the clock was set in the
   * meantime.
   */
  clock: ClockReading | undefined;
}

/**
 * What the machine's clock showed at a moment. The other two fields identify that moment even if the clock is
 * set.
 */
export interface ClockReading {
  /** See `Clock`. */
  readonly bootId: string | undefined;
  /** Milliseconds since the machine booted. */
  readonly bootMs: number;
  /** The machine's clock, epoch milliseconds. */
  readonly nowMs: number;
}

/** The content of delivery.json; zeros if there is no such file, or it cannot be read. */
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
    clock: toClockReading(stored.clock),
  };
}

function toClockReading(stored: unknown): ClockReading | undefined {
  if (!isRecord(stored)) return undefined;
  const { bootId, bootMs, nowMs } = stored;
  if (typeof bootId !== "string" || !isFiniteNumber(bootMs) || !isFiniteNumber(nowMs)) return undefined;
  return { bootId, bootMs, nowMs };
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/**
 * Replaces delivery.json.
 * @param mayReplace see `replaceFileLater`
 * @throws a file system error
 */
export function writeDelivery(file: string, delivery: Delivery, mayReplace: () => boolean): Promise<void> {
  return replaceFileLater(file, `${JSON.stringify(delivery)}\n`, mayReplace);
}

function countOf(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/**
 * Watches the content of delivery.json, which several processes may write. The returned function reads the
 * file again only if it has changed. Never throws.
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
