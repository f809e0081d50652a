/** Reads the days that a report covers. */
import { parseTime } from "@candor/envelope";
import { CandorError } from "../errors.ts";

const DEFAULT_DAYS = 30;
const DAY_MS = 24 * 3600 * 1000;

/** Days in UTC, `YYYY-MM-DD`, both inclusive. */
export interface ReportDays {
  readonly from: string;
  readonly to: string;
}

/**
 * Reads `from` and `to`, which are days or times; the default is the last 30 days.
 * @throws CandorError `query_invalid`
 */
export function readDays(parameters: URLSearchParams, nowMs: number): ReportDays {
  for (const name of parameters.keys()) {
    if (name !== "from" && name !== "to")
      throw new CandorError("query_invalid", { why: "This report takes from and to, and nothing else." });
  }
  const day = (name: string, defaultMs: number): string => {
    const text = parameters.get(name);
    const atMs = text === null ? defaultMs : (parseTime(text) ?? parseTime(`${text}T00:00:00Z`));
    if (atMs === undefined) {
      const why = `${name} is not a time. Write a day, such as 2026-01-31, or a time in RFC 3339.`;
      throw new CandorError("query_invalid", { why });
    }
    return new Date(atMs).toISOString().slice(0, 10);
  };
  return { from: day("from", nowMs - DEFAULT_DAYS * DAY_MS), to: day("to", nowMs) };
}
