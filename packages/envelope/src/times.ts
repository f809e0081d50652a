/**
 * Parses times in RFC 3339 and the calendar forms of ISO 8601, formats them in UTC with milliseconds, and
 * computes when an event happened.
 * @see https://www.rfc-editor.org/rfc/rfc3339#section-5.6
 */

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The range of times that the store can hold. */
const EARLIEST_MS = Date.UTC(1900, 0, 1);
const END_MS = Date.UTC(2299, 0, 1);
const MAX_LENGTH = 64;
/** Character codes. */
const HYPHEN = 45;
const POINT = 46;
const DIGIT_0 = 48;
const DIGIT_2 = 50;
const DIGIT_4 = 52;
const DIGIT_6 = 54;
const COLON = 58;
const CAPITAL_T = 84;
const CAPITAL_Z = 90;
/** The time that Go's clients send for "no time". */
const GO_ZERO_TIME = "0001-01-01T00:00:00Z";

/** Epoch milliseconds. `absent`: no time was given. `unreadable`: the given value is not a time. */
export type ReadTime = number | "absent" | "unreadable";

/**
 * Parses a time of at most 64 characters, truncated to milliseconds. An empty text and Go's zero time count
 * as absent. Accepts RFC 3339 and these forms of ISO 8601: a date alone (its first moment in UTC), hours with
 * or without minutes and seconds, `24:00`, a decimal comma, an offset in hours, and the basic form with a `T`
 * (`20260131T080552Z`). Also accepts `t`, `z`, and a space instead of the `T`. A leap second becomes the last
 * millisecond before it. Rejects a time of day without an offset, dates that do not exist, and years before
 * 1900 or after 2298.
 */
export function readTime(value: unknown): ReadTime {
  if (typeof value !== "string") return value === undefined || value === null ? "absent" : "unreadable";
  const ms = value.length === 24 ? readUsualForm(value) : Number.NaN;
  if (ms >= EARLIEST_MS && ms < END_MS) return ms;
  return value === "" || value === GO_ZERO_TIME ? "absent" : readAnyForm(value);
}

/** Like `readTime`, but returns undefined both for `absent` and for `unreadable`. */
export function parseTime(value: unknown): number | undefined {
  const time = readTime(value);
  return typeof time === "number" ? time : undefined;
}

/**
 * Whether a text that was parsed as a time already has the form that `toIsoTime` writes. Nearly all times do,
 * so they need not be formatted again.
 */
export function isIsoTime(text: unknown): text is string {
  return (
    typeof text === "string" &&
    text.length === 24 &&
    text.charCodeAt(10) === CAPITAL_T &&
    text.charCodeAt(19) === POINT &&
    text.charCodeAt(23) === CAPITAL_Z &&
    text.charCodeAt(17) < DIGIT_6 && // no leap second
    !(text.charCodeAt(11) === DIGIT_2 && text.charCodeAt(12) === DIGIT_4) // 24:00 is on the next day
  );
}

/**
 * Parses `2020-11-04T08:05:52.726Z`, the form that nearly all clients send, character by character. NaN for
 * any other form.
 */
function readUsualForm(text: string): number {
  const hour = digitsAt(text, 11);
  const minute = digitsAt(text, 14);
  const second = digitsAt(text, 17);
  const ms = digitsAt(text, 20) * 10 + digitsAt(text, 22, 1);
  const hasForm =
    hour < 24 &&
    minute < 60 &&
    second < 60 &&
    ms < SECOND_MS &&
    text.charCodeAt(4) === HYPHEN &&
    text.charCodeAt(7) === HYPHEN &&
    text.charCodeAt(10) === CAPITAL_T &&
    text.charCodeAt(13) === COLON &&
    text.charCodeAt(16) === COLON &&
    text.charCodeAt(19) === POINT &&
    text.charCodeAt(23) === CAPITAL_Z;
  if (!hasForm) return Number.NaN;
  const clock = (hour * 60 + minute) * MINUTE_MS + second * SECOND_MS + ms;
  return dayMs(digitsAt(text, 0) * 100 + digitsAt(text, 2), digitsAt(text, 5), digitsAt(text, 8)) + clock;
}

/** Larger than any part of a time, so that every range check rejects it. */
const NO_DIGITS = 10_000;

/**
 * The value of one or two digits; `NO_DIGITS` for other characters. XOR with `DIGIT_0` converts a digit to
 * its value.
 */
function digitsAt(text: string, at: number, count: 1 | 2 = 2): number {
  const first = text.charCodeAt(at) ^ DIGIT_0;
  const second = count === 1 ? 0 : text.charCodeAt(at + 1) ^ DIGIT_0;
  if (first > 9 || second > 9) return NO_DIGITS;
  return count === 1 ? first : first * 10 + second;
}

const EXTENDED =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2})(?::(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?([Zz]|[+\-\u2212]\d{2}(?::?\d{2})?))?$/;
const BASIC =
  /^(\d{4})(\d{2})(\d{2})[Tt](\d{2})(?:(\d{2})(?:(\d{2})(?:[.,](\d+))?)?)?([Zz]|[+\-\u2212]\d{2}(?:\d{2})?)$/;

function readAnyForm(text: string): ReadTime {
  const parts = text.length <= MAX_LENGTH ? (EXTENDED.exec(text) ?? BASIC.exec(text)) : null;
  if (parts === null) return "unreadable";
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", offset = "Z"] = parts;
  const date = dayMs(Number(year), Number(month), Number(day));
  const clock = clockMs(
    Number(hour),
    Number(minute),
    Number(second),
    Number(fraction.padEnd(3, "0").slice(0, 3)),
  );
  const ms = date + clock - offsetMs(offset);
  const isLeap = second === "60";
  if (!(ms >= EARLIEST_MS && ms < END_MS) || (isLeap && !endsMonth(ms))) return "unreadable";
  return ms;
}

/**
 * The time of day in milliseconds; NaN if it does not exist. A leap second becomes the last millisecond of
 * its minute.
 */
function clockMs(hour: number, minute: number, second: number, ms: number): number {
  if (hour === 24) return minute + second + ms === 0 ? DAY_MS : Number.NaN;
  if (hour > 24 || minute > 59 || second > 60) return Number.NaN;
  const start = hour * HOUR_MS + minute * MINUTE_MS;
  return second === 60 ? start + MINUTE_MS - 1 : start + second * SECOND_MS + ms;
}

/** An offset in milliseconds; NaN if it does not exist. */
function offsetMs(offset: string): number {
  if (offset === "Z" || offset === "z") return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = offset.length > 3 ? Number(offset.slice(-2)) : 0;
  if (hours > 23 || minutes > 59) return Number.NaN;
  return (offset.startsWith("+") ? 1 : -1) * (hours * HOUR_MS + minutes * MINUTE_MS);
}

/** Whether a time is the last millisecond of a month in UTC, where leap seconds are inserted. */
function endsMonth(ms: number): boolean {
  const next = new Date(ms + 1);
  return next.getUTCDate() === 1 && next.getTime() % DAY_MS === 0;
}

const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/** The first moment of a day, in epoch milliseconds; NaN if there is no such date. */
function dayMs(year: number, month: number, day: number): number {
  if (!(month >= 1 && month <= 12) || year > 9999) return Number.NaN;
  const before = DAYS_BEFORE_MONTH[month - 1] ?? 0;
  const leapDay = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 1 : 0;
  const days = (DAYS_BEFORE_MONTH[month] ?? 0) - before + (month === 2 ? leapDay : 0);
  if (!(day >= 1 && day <= days)) return Number.NaN;
  const last = year - 1;
  const leapDays = Math.trunc(last / 4) - Math.trunc(last / 100) + Math.trunc(last / 400);
  const dayOfYear = before + (month > 2 ? leapDay : 0) + day - 1;
  return (year * 365 + leapDays + dayOfYear - DAYS_BEFORE_1970) * DAY_MS;
}

/** The number of days from the first day of year 0 to 1970-01-01, by the formula of `dayMs`. */
const DAYS_BEFORE_1970 = 719_527;

/**
 * The number of slots in each of the two caches below, a power of two. One has formatted times by
 * millisecond, the other has their prefixes by second.
 */
const SLOTS = 64;
const cachedSeconds = new Float64Array(SLOTS).fill(Number.NaN);
const cachedPrefixes: string[] = Array.from({ length: SLOTS }, () => "");
const cachedMs = new Float64Array(SLOTS).fill(Number.NaN);
const cachedTexts: string[] = Array.from({ length: SLOTS }, () => "");

/**
 * Formats epoch milliseconds as `2020-11-04T08:05:52.726Z`. Recent results are cached: the messages of a
 * batch share some times and a few seconds, and formatting these again for each message costs as much as
 * parsing its JSON.
 */
export function toIsoTime(ms: number): string {
  const slot = ms & (SLOTS - 1);
  if (cachedMs[slot] !== ms) {
    cachedTexts[slot] = writeTime(ms);
    cachedMs[slot] = ms;
  }
  return cachedTexts[slot] ?? "";
}

/**
 * Formats a time. Builds the string from character codes, because V8 stores a concatenated string as a pair,
 * which doubles the time of JSON.stringify.
 */
function writeTime(ms: number): string {
  const second = Math.floor(ms / SECOND_MS);
  const slot = second & (SLOTS - 1);
  if (cachedSeconds[slot] !== second) {
    cachedPrefixes[slot] = new Date(second * SECOND_MS).toISOString().slice(0, -4);
    cachedSeconds[slot] = second;
  }
  const prefix = cachedPrefixes[slot] ?? "";
  const rest = ms - second * SECOND_MS;
  const tens = Math.floor(rest / 10);
  const hundreds = Math.floor(rest / 100);
  // biome-ignore format: one line per part
  return String.fromCharCode(
    prefix.charCodeAt(0), prefix.charCodeAt(1), prefix.charCodeAt(2), prefix.charCodeAt(3), prefix.charCodeAt(4),
    prefix.charCodeAt(5), prefix.charCodeAt(6), prefix.charCodeAt(7), prefix.charCodeAt(8), prefix.charCodeAt(9),
    prefix.charCodeAt(10), prefix.charCodeAt(11), prefix.charCodeAt(12), prefix.charCodeAt(13), prefix.charCodeAt(14),
    prefix.charCodeAt(15), prefix.charCodeAt(16), prefix.charCodeAt(17), prefix.charCodeAt(18), prefix.charCodeAt(19),
    DIGIT_0 + hundreds, DIGIT_0 + (tens - hundreds * 10), DIGIT_0 + (rest - tens * 10), CAPITAL_Z,
  );
}

export interface MessageTimes {
  readonly receivedAtMs: number;
  readonly originalTimestampMs: number | undefined;
  readonly sentAtMs: number | undefined;
  /** The client's attempt number from `X-Retry-Count`; 0 for the first attempt. */
  readonly retryCount: number;
}

/**
 * Computes when the event happened, by the collector's clock: `receivedAt - (sentAt - originalTimestamp)`,
 * but never later than `receivedAt`. Without `originalTimestamp`, it is `receivedAt`. Without `sentAt`, it is
 * the original timestamp. The same goes for a retry, because several clients keep the `sentAt` of their first
 * attempt, with which the formula would shift the event by the whole delay.
 * @see https://segment.com/docs/connections/spec/common/#timestamp-overview
 */
export function resolveTimestamp(times: MessageTimes): number {
  const { receivedAtMs, originalTimestampMs, sentAtMs, retryCount } = times;
  if (originalTimestampMs === undefined) return receivedAtMs;
  const skewed = sentAtMs === undefined || retryCount > 0;
  const timestampMs = skewed ? originalTimestampMs : receivedAtMs - (sentAtMs - originalTimestampMs);
  return Math.min(timestampMs, receivedAtMs);
}
