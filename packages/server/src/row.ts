/** Builds the rows that go into the store. */
import type { Envelope } from "@candor/envelope";
import type { Contact } from "@candor/plan/runtime";
import type { Source } from "./config.ts";

/** A table, and the order of the columns in its lines. */
export interface LineTarget {
  readonly table: "events" | "contacts";
  readonly columns: readonly string[];
}

/** Columns of an event's line. */
export const EVENT_TARGET: LineTarget = {
  table: "events",
  columns: [
    "source",
    "type",
    "event",
    "messageId",
    "userId",
    "anonymousId",
    "timestamp",
    "receivedAt",
    "sequence",
    "country",
    "planVersion",
    "sentPlanVersion",
    "skipped",
    "trimmed",
    "envelope",
  ],
};

/**
 * Columns of a contact's line. `about` is a JSON object with the fields that the plan keeps beside a contact.
 * `shuffle` is a random number that hides the order in which contacts were received.
 */
export const CONTACT_TARGET: LineTarget = {
  table: "contacts",
  columns: ["day", "shuffle", "contact", "about"],
};

const EARLIEST_TIME = "1900-01-01T00:00:00.000";

/** What Candor stores about an event besides its envelope. */
export interface RowAbout {
  readonly source: Source;
  /** ISO 3166 alpha-2; undefined when it is not known. */
  readonly country: string | undefined;
  /** Numbers the messages with the same `receivedAt`, in the order of their arrival, from 0. */
  readonly sequence: number;
  /** Version of the plan that gave the verdict. */
  readonly planVersion: number;
  /** Version of the plan in the sender's SDK; 0 if the SDK did not report one. */
  readonly sentPlanVersion: number;
  /**
   * Number of messages of this event that the sender skipped since the previous one, because of the plan's
   * `max_per_minute`.
   */
  readonly skipped: number;
  /** Declared paths at which something was removed or changed, with `*` for undeclared names. */
  readonly trimmed: readonly string[];
}

/**
 * Returns the line for a message in ClickHouse's TabSeparated format. It is built once, here, so that the
 * drain only concatenates lines. The envelope is the JSON text itself, and is read back byte for byte.
 * @param text `envelope` as JSON
 * @see https://clickhouse.com/docs/interfaces/formats/TabSeparated
 */
export function toLine(about: RowAbout, envelope: Envelope, text: string): string {
  const { source, sequence, country, planVersion, sentPlanVersion, skipped, trimmed } = about;
  const { type, event, messageId, userId, anonymousId, timestamp, receivedAt } = envelope;
  return `${source}\t${type}\t${cell(event)}\t${messageId}\t${cell(userId)}\t${cell(anonymousId)}\t${timeCell(
    timestamp,
  )}\t${timeCell(receivedAt)}\t${sequence}\t${country ?? ""}\t${planVersion}\t${sentPlanVersion}\t${skipped}\t${listCell(
    trimmed,
  )}\t${escaped(text)}\n`;
}

/**
 * Returns the line for a contact. Of the time at which it was received, only the day is kept.
 * @param shuffle a random integer, at least 0 and less than 2^48
 */
export function toContactLine({ contact, about }: Contact, receivedAt: string, shuffle: number): string {
  return `${receivedAt.slice(0, 10)}\t${shuffle}\t${escapeAll(contact)}\t${escapeAll(JSON.stringify(about))}\n`;
}

/**
 * Formats paths as `['a','b']`. Apart from `*`, the paths come from the plan; special characters are escaped
 * anyway.
 */
function listCell(paths: readonly string[]): string {
  return `[${paths.map((path) => `'${escapeAll(path).replaceAll("'", "\\'")}'`).join(",")}]`;
}

function cell(value: string | undefined): string {
  if (value === undefined) return "";
  return SPECIAL.test(value) ? escapeAll(value) : value;
}

/**
 * Escapes JSON text for a cell. JSON has no raw tab or newline, so only backslashes need escaping, and most
 * texts have none.
 */
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

/** Escapes any text for a cell. */
export function escapeAll(value: string): string {
  return value.replace(/[\\\t\n\r\0\b\f]/g, (char) => ESCAPES[char] ?? char);
}

/**
 * Removes the Z from a time such as `2020-11-04T08:05:52.726Z`, because ClickHouse's fast parser does not
 * support it. The columns are in UTC. Earlier times than 1900 become the start of 1900.
 */
function timeCell(iso: string): string {
  const time = iso.length === 24 ? iso.slice(0, 23) : EARLIEST_TIME;
  return time < EARLIEST_TIME ? EARLIEST_TIME : time;
}
