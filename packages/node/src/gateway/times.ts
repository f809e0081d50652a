/** RFC 3339, with any fraction and any offset. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:?\d{2})$/;
const MAX_LENGTH = 64;
/** The collector's store holds these years. */
const EARLIEST_MS = Date.UTC(1900, 0, 1);
const END_MS = Date.UTC(2299, 0, 1);

/** A time on the wire in epoch milliseconds; undefined for anything else. */
export function parseTime(value: unknown): number | undefined {
  if (typeof value !== "string" || value.length > MAX_LENGTH || !RFC_3339.test(value)) return undefined;
  const ms = Date.parse(value.replace(" ", "T"));
  return ms >= EARLIEST_MS && ms < END_MS ? ms : undefined;
}

/** The clocks that a message of a browser has passed, epoch milliseconds. */
export interface MessageTimes {
  readonly originalMs: number | undefined;
  readonly sentAtMs: number | undefined;
  readonly receivedAtMs: number;
  /** The client's `X-Retry-Count`; 0 at its first attempt. */
  readonly retryCount: number;
}

/**
 * When it happened, by this machine's clock: `receivedAt - (sentAt - original)`, never later than `receivedAt`. It has to
 * be done here, because the outbox may be delivered days later. On a retry the original stands: several clients keep the
 * `sentAt` of their first attempt, and the event would be shifted by the whole delay.
 */
export function resolveTimestamp({ originalMs, sentAtMs, receivedAtMs, retryCount }: MessageTimes): number {
  if (originalMs === undefined) return receivedAtMs;
  const isSkewKnown = sentAtMs !== undefined && retryCount === 0;
  const resolvedMs = isSkewKnown ? receivedAtMs - (sentAtMs - originalMs) : originalMs;
  // What the formula puts out of the years above would be refused when it is read again.
  return resolvedMs < EARLIEST_MS ? receivedAtMs : Math.min(resolvedMs, receivedAtMs);
}
