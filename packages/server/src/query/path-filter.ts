/** Owns filters by path, such as `properties.a.b=8`, in SQL and for messages in memory. */
import { type Envelope, isObject, type JsonValue } from "@candor/envelope";

/**
 * A filter by path is applied in SQL to stored envelopes, and in code to an envelope in memory. Both match
 * the same envelopes (path-filter.test.ts).
 *
 * The text of a filter matches a string equal to it, a number that it spells (`8`, `8.0` and `8e0` are the
 * same number), `true`, `false`, `null`, and an array with such an element. It never matches an object, or an
 * array within an array.
 */

/** A key of an object, or a position in an array. */
type PathPart = string | number;

export type Path = readonly PathPart[];

const MAX_PATH_PARTS = 32;
const MAX_PATHS = 64;
const POSITION = /^(?:0|[1-9]\d{0,5})$/;

/**
 * Returns the paths that a filter's name can mean. `properties.a.b` is the property b of a, and also the
 * property named "a.b". In `properties.list.0`, 0 is a key of an object or a position in an array. A
 * backslash makes a dot part of a name: `a\.b`. Undefined if there are more than 32 parts or 64 meanings.
 */
export function readPaths(name: string): readonly Path[] | undefined {
  const [root = "", ...parts] = name.split(/(?<!\\)\./).map((part) => part.replaceAll("\\.", "."));
  if (parts.length > MAX_PATH_PARTS) return undefined;
  let paths: Path[] = [[root]];
  for (const part of parts) {
    const meanings = POSITION.test(part) ? [part, Number(part)] : [part];
    paths = paths.flatMap((path) => meanings.map((meaning) => [...path, meaning]));
    if (paths.length > MAX_PATHS) return undefined;
  }
  return parts.length > 1 ? [...paths, [root, parts.join(".")]] : paths;
}

/** Matches a number as JSON spells it. */
const NUMERAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Returns the number that a text spells; undefined if it spells none, or one too large for a double. */
function numberOf(text: string): number | undefined {
  const value = NUMERAL.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value + 0 : undefined; // turns -0 into 0
}

/** Whether the value at one of the paths matches the text. */
export function hasAt(envelope: Envelope, paths: readonly Path[], text: string): boolean {
  return paths.some((path) => {
    const value = valueAt(envelope, path);
    return Array.isArray(value)
      ? value.some((element) => isEqual(element, text))
      : value !== undefined && isEqual(value, text);
  });
}

function isEqual(value: JsonValue, text: string): boolean {
  if (typeof value === "string") return value === text;
  if (typeof value === "number") return value === numberOf(text);
  return (value === null || typeof value === "boolean") && String(value) === text;
}

function valueAt(envelope: Envelope, [root, ...parts]: Path): JsonValue | undefined {
  const { properties, traits, context } = envelope;
  let value: JsonValue | undefined = { properties, traits, context }[String(root)];
  for (const part of parts) {
    if (typeof part === "number") value = Array.isArray(value) ? value[part] : undefined;
    else value = isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  }
  return value;
}

/** Binds a value as a parameter of a query, and returns the SQL that stands for it. */
export type Bind = (value: string, type: "String" | "UInt64") => string;

/** Builds the same condition as hasAt, as SQL over the column `envelope`. */
export function toPathCondition(paths: readonly Path[], text: string, bind: Bind): string {
  const sought: Sought = { text, bound: bind(text, "String"), number: bindNumber(text, bind) };
  return `(${paths.map((path) => atPath(path, sought, bind)).join(" OR ")})`;
}

interface Sought {
  readonly text: string;
  /** SQL that stands for `text`: a bound parameter. */
  readonly bound: string;
  /** SQL that stands for the number that `text` spells; undefined if it spells none. */
  readonly number: string | undefined;
}

/**
 * Binds the number that a text spells by its bits, because ClickHouse may misread the last digit of a
 * decimal. Returns undefined if the text spells none.
 */
function bindNumber(text: string, bind: Bind): string | undefined {
  const value = numberOf(text);
  if (value === undefined) return undefined;
  const bits = new BigUint64Array(Float64Array.of(value).buffer)[0];
  return `reinterpretAsFloat64(${bind(String(bits), "UInt64")})`;
}

function atPath(path: Path, sought: Sought, bind: Bind): string {
  const parts: string[] = [];
  const conditions: string[] = [];
  for (const part of path) {
    // ClickHouse counts positions from 1. It would also use a number as the position of a key in an object.
    if (typeof part === "number") conditions.push(`JSONType(envelope, ${parts.join(", ")}) = 'Array'`);
    parts.push(typeof part === "number" ? String(part + 1) : bind(part, "String"));
  }
  const at = `envelope, ${parts.join(", ")}`;
  const isElement = `arrayExists(element -> ${equals("element", sought)}, JSONExtractArrayRaw(${at}))`;
  const isMatch = `(${equals(at, sought)} OR (JSONType(${at}) = 'Array' AND ${isElement}))`;
  return `(${[...conditions, isMatch].join(" AND ")})`;
}

/**
 * Returns the condition that a value equals the text of a filter.
 * @param at arguments of ClickHouse's JSON functions: a document, and a path into it
 */
function equals(at: string, { text, bound, number }: Sought): string {
  const type = `JSONType(${at})`;
  const ways = [`(${type} = 'String' AND JSONExtractString(${at}) = ${bound})`];
  if (number !== undefined)
    ways.push(`(${type} IN ('Int64', 'UInt64', 'Double') AND JSONExtractFloat(${at}) = ${number})`);
  if (text === "true" || text === "false")
    ways.push(`(${type} = 'Bool' AND JSONExtractBool(${at}) = ${text})`);
  // JSONType returns 'Null' for an absent value too.
  if (text === "null") ways.push(`JSONExtractRaw(${at}) = 'null'`);
  return `(${ways.join(" OR ")})`;
}
