import { type Envelope, isObject, type JsonValue, MESSAGE_TYPES, parseTime } from "@candor/envelope";
import { SOURCES } from "../config.ts";
import { CandorError } from "../errors.ts";
import type { StoredForms } from "../privacy/stored-forms.ts";
import type { QueryParams } from "../store/client.ts";

/** Filters by name, as the addresses of /api/events, /api/count and /api/live carry them; each with the values that match. */
export type Filters = ReadonlyMap<string, readonly string[]>;

const ID_FILTERS: ReadonlySet<string> = new Set(["messageId", "userId", "anonymousId"]);

const COLUMN_FILTERS = ["source", "event", "type", "messageId", "userId", "anonymousId"] as const;
const PATH_FILTER = /^(properties|traits|context)\..+$/;
/** What a field with `hash: true` takes; the collector keeps its hash. */
const HASH = /^[0-9a-f]{32,64}$/;
const MAX_FILTERS = 20;
const MAX_PATH_PARTS = 32;
const MAX_WAYS = 64;

/**
 * Checks the filters of an address.
 * @param others parameters that are not filters, such as `limit`
 * @param storedForms the forms in which an id may stand in the store: who asks knows the one that was sent
 * @throws CandorError `query_invalid`
 */
export function readFilters(
  parameters: URLSearchParams,
  others: readonly string[],
  storedForms: StoredForms = (id) => [id],
): Filters {
  const filters = new Map<string, readonly string[]>();
  for (const [name, value] of parameters) {
    if (others.includes(name)) continue;
    if (filters.has(name)) throw invalid("A filter is given twice. Give each once.");
    checkFilter(name, value);
    const isSentForm = ID_FILTERS.has(name) || (PATH_FILTER.test(name) && HASH.test(value));
    filters.set(name, isSentForm ? storedForms(value) : [value]);
  }
  if (filters.size > MAX_FILTERS) throw invalid(`More than ${MAX_FILTERS} filters. Use fewer.`);
  return filters;
}

function checkFilter(name: string, value: string): void {
  const isKnown =
    COLUMN_FILTERS.some((column) => column === name) ||
    name === "from" ||
    name === "to" ||
    PATH_FILTER.test(name);
  if (!isKnown) {
    throw invalid(
      `There is no such filter. The filters are ${COLUMN_FILTERS.join(", ")}, from, to, properties.<path>, traits.<path>, context.<path>.`,
    );
  }
  if ((name === "from" || name === "to") && parseTime(value) === undefined) {
    throw invalid(`${name} is not a time. Write it in RFC 3339, such as 2026-01-31T00:00:00Z.`);
  }
  if (name === "source" && !SOURCES.some((source) => source === value))
    throw invalid(`source is one of ${SOURCES.join(", ")}.`);
  if (name === "type" && !MESSAGE_TYPES.some((type) => type === value))
    throw invalid(`type is one of ${MESSAGE_TYPES.join(", ")}.`);
  if (PATH_FILTER.test(name) && pathWays(name).length > MAX_WAYS)
    throw invalid("The path has too many parts.");
}

function invalid(why: string): CandorError {
  return new CandorError("query_invalid", { why });
}

/** A condition for ClickHouse, with its values bound by name. */
export interface Condition {
  readonly sql: string;
  readonly params: QueryParams;
}

/** The WHERE of filters. Names and values reach the SQL as parameters only. */
export function toCondition(filters: Filters): Condition {
  const conditions: string[] = ["1"];
  const params: Record<string, string | number> = {};
  const bind = (value: string): string => {
    const name = `p${Object.keys(params).length}`;
    params[name] = value;
    return `{${name}:String}`;
  };
  for (const [name, values] of filters) {
    const [value = ""] = values;
    if (name === "from" || name === "to") {
      const time = bind(new Date(parseTime(value) ?? 0).toISOString().slice(0, 23).replace("T", " "));
      const bound = `toDateTime64(${time}, 3, 'UTC')`;
      // A timestamp is never later than its receivedAt, by which the rows lie in order.
      conditions.push(
        name === "from" ? `timestamp >= ${bound} AND receivedAt >= ${bound}` : `timestamp < ${bound}`,
      );
    } else if (PATH_FILTER.test(name)) {
      conditions.push(
        `(${pathWays(name)
          .flatMap((way) => values.map((form) => wayCondition(way, form, bind)))
          .join(" OR ")})`,
      );
    } else conditions.push(`${name} IN (${values.map(bind).join(", ")})`);
  }
  return { sql: conditions.join("\n  AND "), params };
}

/** A key of an object, or the place in an array. */
type PathPart = string | number;

/**
 * The ways to read a path: `properties.a.b` is the property b of a, and also the property that is called "a.b";
 * `properties.list.0` is the key "0" or the first of a list. A backslash makes a dot part of a name: `a\.b`.
 */
function pathWays(name: string): PathPart[][] {
  const [root = "", ...parts] = name.split(/(?<!\\)\./).map((part) => part.replaceAll("\\.", "."));
  if (parts.length > MAX_PATH_PARTS) return Array.from({ length: MAX_WAYS + 1 }, () => []);
  let ways: PathPart[][] = [[root]];
  for (const part of parts) {
    const isPlace = /^\d{1,6}$/.test(part);
    ways = ways.flatMap((way) =>
      isPlace
        ? [
            [...way, part],
            [...way, Number(part)],
          ]
        : [[...way, part]],
    );
    if (ways.length > MAX_WAYS) return ways;
  }
  if (parts.length > 1) ways.push([root, parts.join(".")]);
  return ways;
}

function wayCondition(way: readonly PathPart[], value: string, bind: (value: string) => string): string {
  const path = way.map((part) => (typeof part === "number" ? part + 1 : bind(part))).join(", "); // ClickHouse counts from 1
  const bound = bind(value);
  const isText = `JSONType(envelope, ${path}) = 'String' AND JSONExtractString(envelope, ${path}) = ${bound}`;
  return value === "" ? `(${isText})` : `(${isText} OR JSONExtractRaw(envelope, ${path}) = ${bound})`;
}

/** The same judgement on one envelope, for /api/live. */
export function matches(filters: Filters, source: string | undefined, envelope: Envelope): boolean {
  for (const [name, values] of filters)
    if (!values.some((value) => matchesOne(name, value, source, envelope))) return false;
  return true;
}

function matchesOne(name: string, value: string, source: string | undefined, envelope: Envelope): boolean {
  if (name === "source") return source === value;
  if (name === "from") return Date.parse(envelope.timestamp) >= (parseTime(value) ?? 0);
  if (name === "to") return Date.parse(envelope.timestamp) < (parseTime(value) ?? 0);
  if (PATH_FILTER.test(name)) return pathWays(name).some((way) => textAt(envelope, way) === value);
  const column = COLUMN_FILTERS.find((known) => known === name);
  return column !== undefined && column !== "source" && (envelope[column] ?? "") === value;
}

function textAt(envelope: Envelope, [root, ...way]: readonly PathPart[]): string | undefined {
  const roots: Readonly<Record<string, JsonValue | undefined>> = {
    properties: envelope.properties,
    traits: envelope.traits,
    context: envelope.context,
  };
  let value: JsonValue | undefined = roots[String(root)];
  for (const part of way) {
    if (typeof part === "number") value = Array.isArray(value) ? value[part] : undefined;
    else value = isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  }
  return value === undefined || typeof value === "string" ? value : JSON.stringify(value);
}
