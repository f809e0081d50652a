/**
 * Times on the wire: RFC 3339 with any fraction and any offset in, ISO 8601 UTC with milliseconds out.
 * @see https://www.rfc-editor.org/rfc/rfc3339#section-5.6
 */

const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:?\d{2})$/;
const SECOND_MS = 1000;

/** Years that the store can hold; Go's zero time, which its clients send when they mean "no time", is not one. */
const EARLIEST_MS = Date.UTC(1900, 0, 1);
const END_MS = Date.UTC(2299, 0, 1);

/**
 * Reads a time in epoch milliseconds (finer digits are cut off). Anything but an RFC 3339 string of the years
 * 1900 to 2298 is undefined: such a message is kept, and gets the time of its receipt.
 */
export function parseTime(value: unknown): number | undefined {
  if (typeof value !== "string" || value.length > 64 || !RFC_3339.test(value)) return undefined;
  const ms = Date.parse(value.includes(" ") ? value.replace(" ", "T") : value);
  return ms >= EARLIEST_MS && ms < END_MS ? ms : undefined;
}

/** A time, or why there is none. */
export function readTime(value: unknown): number | "absent" | "unreadable" {
  if (value === undefined || value === null) return "absent";
  return parseTime(value) ?? "unreadable";
}

const DIGIT_0 = 48;
const CAPITAL_Z = 90;
/** Slots for the seconds written last; a second's slot is its last six bits. */
const CACHED_SECONDS = 64;
const cachedSeconds = new Float64Array(CACHED_SECONDS).fill(Number.NaN);
const cachedPrefixes: string[] = Array.from({ length: CACHED_SECONDS }, () => "");

/**
 * Epoch milliseconds to `2020-11-04T08:05:52.726Z`. The messages of a batch share a few seconds, and building that
 * part anew for each costs as much as parsing the message's JSON does: the last ones are kept. Made of character codes,
 * because two strings that are joined stay two inside of V8, for which its JSON.stringify takes twice the time.
 */
export function toIsoTime(ms: number): string {
  const second = Math.floor(ms / SECOND_MS);
  const slot = second & (CACHED_SECONDS - 1);
  if (cachedSeconds[slot] !== second) {
    cachedPrefixes[slot] = new Date(second * SECOND_MS).toISOString().slice(0, -4);
    cachedSeconds[slot] = second;
  }
  const prefix = cachedPrefixes[slot] ?? "";
  const rest = ms - second * SECOND_MS;
  const tens = Math.floor(rest / 10);
  const hundreds = Math.floor(rest / 100);
  const at = (index: number): number => prefix.charCodeAt(index);
  // biome-ignore format: a line a part
  return String.fromCharCode(
    at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8), at(9),
    at(10), at(11), at(12), at(13), at(14), at(15), at(16), at(17), at(18), at(19),
    DIGIT_0 + hundreds, DIGIT_0 + (tens - hundreds * 10), DIGIT_0 + (rest - tens * 10), CAPITAL_Z,
  );
}

export interface MessageTimes {
  readonly receivedAtMs: number;
  readonly originalTimestampMs: number | undefined;
  readonly sentAtMs: number | undefined;
  /** Attempt number of the client, `X-Retry-Count`; 0 is the first. */
  readonly retryCount: number;
}

/**
 * The time at which the event happened, by the collector's clock: `receivedAt - (sentAt - originalTimestamp)`,
 * never later than `receivedAt`. On a retry the original stands, because several clients freeze `sentAt` at
 * their first attempt, and the formula would shift the event by the whole delay.
 * @see https://segment.com/docs/connections/spec/common/#timestamp-overview
 */
export function resolveTimestamp(times: MessageTimes): number {
  const { receivedAtMs, originalTimestampMs, sentAtMs, retryCount } = times;
  if (originalTimestampMs === undefined) return receivedAtMs;
  const skewed = sentAtMs === undefined || retryCount > 0;
  const timestampMs = skewed ? originalTimestampMs : receivedAtMs - (sentAtMs - originalTimestampMs);
  return Math.min(timestampMs, receivedAtMs);
}
