const DAY_MS = 24 * 60 * 60_000;
/** RFC 9110 5.6.7: all three forms of an HTTP date begin with a day's name. */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/;

/**
 * Retry-After in milliseconds, 0 to a day; undefined when there is none that can be read.
 * @param value seconds, or an HTTP date
 * @param date the answer's own Date: with it a wrong clock on this machine does no harm
 * @param nowMs the wall clock, when there is no Date
 */
export function parseRetryAfter(
  value: string | undefined,
  date: string | undefined,
  nowMs: number,
): number | undefined {
  const text = value?.trim() ?? "";
  const waitMs = /^\d+$/.test(text)
    ? Number(text) * 1000
    : toEpochMs(text) - orElse(toEpochMs(date ?? ""), nowMs);
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), DAY_MS);
}

function toEpochMs(text: string): number {
  return HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
}

function orElse(value: number, instead: number): number {
  return Number.isNaN(value) ? instead : value;
}
