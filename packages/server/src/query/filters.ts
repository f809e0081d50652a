/** Reads the filters of a request, and applies them in SQL and in memory. */
import { type Envelope, MESSAGE_TYPES, parseTime } from "@candor/envelope";
import { SOURCES } from "../config.ts";
import { invalidQuery } from "../errors.ts";
import type { StoredForms } from "../privacy/pseudonym.ts";
import type { QueryParams } from "../store/client.ts";
import { hasAt, type Path, readPaths, toPathCondition } from "./path-filter.ts";

/** Filters by name, from the query strings of /api/events, /api/count and /api/live. */
export type Filters = ReadonlyMap<string, Filter>;

interface Filter {
  /**
   * An event matches if it has one of these values. For `from` and `to`, there is a single value, the limit
   * of the event's time.
   */
  readonly values: readonly string[];
  /** The paths that the name of a path filter can mean; undefined for every other filter. */
  readonly paths: readonly Path[] | undefined;
}

const ID_FILTERS: ReadonlySet<string> = new Set(["messageId", "userId", "anonymousId"]);

const COLUMN_FILTERS = ["source", "event", "type", "messageId", "userId", "anonymousId"] as const;
const PATH_FILTER = /^(properties|traits|context)\..+$/s;
/** The hash that clients send for a field with `hash: true`. The collector stores a hash of this hash. */
const HASH = /^[0-9a-f]{32,64}$/;
const MAX_FILTERS = 20;
/**
 * The most meanings that the paths of a request may have together. Each becomes a separate condition, and the
 * store accepts queries of at most 256 KiB.
 */
const MAX_PATHS = 100;
/** The earliest time that the store can hold. Earlier times are stored as this one. */
const EARLIEST_MS = Date.UTC(1900, 0, 1);

/**
 * Reads and checks filters.
 * @param others parameters that are not filters, such as `limit`
 * @param storedForms returns the forms in which the store may hold an id or a hash, because the caller knows
 * only the sent form
 * @throws CandorError `query_invalid`
 */
export function readFilters(
  parameters: URLSearchParams,
  others: readonly string[],
  storedForms: StoredForms = (id) => [id],
): Filters {
  const filters = new Map<string, Filter>();
  let pathCount = 0;
  for (const [name, value] of parameters) {
    if (others.includes(name)) continue;
    if (filters.has(name)) throw invalidQuery("A filter is given twice. Give each once.");
    checkFilter(name, value);
    const paths = PATH_FILTER.test(name) ? toPaths(name) : undefined;
    pathCount += paths?.length ?? 0;
    if (pathCount > MAX_PATHS) throw invalidQuery("The paths have too many parts together. Use fewer.");
    const isSentForm = ID_FILTERS.has(name) || (paths !== undefined && HASH.test(value));
    filters.set(name, { values: isSentForm ? storedForms(value) : [value], paths });
  }
  if (filters.size > MAX_FILTERS) throw invalidQuery(`More than ${MAX_FILTERS} filters. Use fewer.`);
  return filters;
}

function checkFilter(name: string, value: string): void {
  const isKnown =
    COLUMN_FILTERS.some((column) => column === name) ||
    name === "from" ||
    name === "to" ||
    PATH_FILTER.test(name);
  if (!isKnown) {
    throw invalidQuery(
      `There is no such filter. The filters are ${COLUMN_FILTERS.join(", ")}, from, to, properties.<path>, traits.<path>, context.<path>.`,
    );
  }
  if ((name === "from" || name === "to") && parseTime(value) === undefined) {
    throw invalidQuery(`${name} is not a time. Write it in RFC 3339, such as 2026-01-31T00:00:00Z.`);
  }
  if (name === "source" && !SOURCES.some((source) => source === value))
    throw invalidQuery(`source is one of ${SOURCES.join(", ")}.`);
  if (name === "type" && !MESSAGE_TYPES.some((type) => type === value))
    throw invalidQuery(`type is one of ${MESSAGE_TYPES.join(", ")}.`);
}

function toPaths(name: string): readonly Path[] {
  const paths = readPaths(name);
  if (paths === undefined) throw invalidQuery("The path has too many parts.");
  return paths;
}

/** A condition for ClickHouse, with its values bound by name. */
export interface Condition {
  readonly sql: string;
  readonly params: QueryParams;
}

/** Builds the WHERE clause for filters. Text that a client sent reaches the SQL only as parameters. */
export function toCondition(filters: Filters): Condition {
  const conditions: string[] = ["1"];
  const params: Record<string, string | number> = {};
  const bind = (value: string, type: "String" | "UInt64" = "String"): string => {
    const name = `p${Object.keys(params).length}`;
    params[name] = value;
    return `{${name}:${type}}`;
  };
  for (const [name, { values, paths }] of filters) {
    const [value = ""] = values;
    if (name === "from" || name === "to") {
      const time = bind(new Date(parseTime(value) ?? 0).toISOString().slice(0, 23).replace("T", " "));
      const bound = `toDateTime64(${time}, 3, 'UTC')`;
      // A timestamp is never later than its receivedAt. Rows are ordered by receivedAt, so the condition on
      // it lets the store skip rows.
      conditions.push(
        name === "from" ? `timestamp >= ${bound} AND receivedAt >= ${bound}` : `timestamp < ${bound}`,
      );
    } else if (paths !== undefined) {
      conditions.push(`(${values.map((form) => toPathCondition(paths, form, bind)).join(" OR ")})`);
    } else conditions.push(`${name} IN (${values.map((form) => bind(form)).join(", ")})`);
  }
  return { sql: conditions.join("\n  AND "), params };
}

/** Whether an envelope in memory meets the conditions that `toCondition` writes as SQL; for /api/live. */
export function matches(filters: Filters, source: string | undefined, envelope: Envelope): boolean {
  for (const [name, { values, paths }] of filters) {
    const isMatch = (value: string): boolean =>
      paths === undefined ? matchesOne(name, value, source, envelope) : hasAt(envelope, paths, value);
    if (!values.some(isMatch)) return false;
  }
  return true;
}

function matchesOne(name: string, value: string, source: string | undefined, envelope: Envelope): boolean {
  if (name === "source") return source === value;
  if (name === "from") return timeOf(envelope) >= (parseTime(value) ?? 0);
  if (name === "to") return timeOf(envelope) < (parseTime(value) ?? 0);
  const column = COLUMN_FILTERS.find((known) => known === name);
  return column !== undefined && column !== "source" && (envelope[column] ?? "") === value;
}

function timeOf({ timestamp }: Envelope): number {
  return Math.max(Date.parse(timestamp), EARLIEST_MS);
}
