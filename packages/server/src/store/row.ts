import type { Envelope } from "@candor/envelope";
import type { Source } from "../config.ts";

/** Columns of a row, in the order of its line. */
export const ROW_COLUMNS = [
  "source",
  "type",
  "event",
  "messageId",
  "userId",
  "anonymousId",
  "timestamp",
  "receivedAt",
  "envelope",
] as const;

const EARLIEST_TIME = "1900-01-01T00:00:00.000";

/**
 * The line that the store takes for a message, in ClickHouse's TabSeparated format: built once, here, so that the
 * drain only concatenates. The envelope is the JSON text itself, read back byte for byte.
 * @param text `envelope` as JSON
 * @see https://clickhouse.com/docs/interfaces/formats/TabSeparated
 */
export function toLine(source: Source, envelope: Envelope, text: string): string {
  const { type, event, messageId, userId, anonymousId, timestamp, receivedAt } = envelope;
  return `${source}\t${type}\t${cell(event)}\t${messageId}\t${cell(userId)}\t${cell(anonymousId)}\t${timeCell(
    timestamp,
  )}\t${timeCell(receivedAt)}\t${escaped(text)}\n`;
}

function cell(value: string | undefined): string {
  if (value === undefined) return "";
  return SPECIAL.test(value) ? escapeAll(value) : value;
}

/** JSON text has no raw tab or newline, only backslashes; most has none. */
function escaped(json: string): string {
  return json.includes("\\") ? json.replaceAll("\\", "\\\\") : json;
}

const SPECIAL = /[\\\t\n\r\0\b\f]/;

const ESCAPES: { readonly [char: string]: string } = {
  "\\": "\\\\",
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
  "\0": "\\0",
  "\b": "\\b",
  "\f": "\\f",
};

function escapeAll(value: string): string {
  return value.replace(/[\\\t\n\r\0\b\f]/g, (char) => ESCAPES[char] ?? char);
}

/** `2020-11-04T08:05:52.726Z` without its Z, which ClickHouse's fast reader does not know; columns are in UTC. */
function timeCell(iso: string): string {
  const time = iso.length === 24 ? iso.slice(0, 23) : EARLIEST_TIME;
  return time < EARLIEST_TIME ? EARLIEST_TIME : time;
}
