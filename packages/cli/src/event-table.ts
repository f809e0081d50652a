/** Turns events into rows of a table: a column for each field that the plan declares, and one for the rest. */
import { isRecord } from "@candor/envelope/unknown-value";
import { type Fields, type FieldType, PLAN_SOURCES, type Plan, rootOf } from "@candor/plan";
import type { Cell, Column, ColumnType } from "@candor/server/formats";

export interface EventTable {
  readonly columns: readonly Column[];
  /** Returns an event's cells. What no column can hold is JSON in the last cell, so nothing is lost but empty objects. */
  toRow(event: unknown): Cell[];
}

/** The columns of every event, by their paths in what GET /api/events answers. */
const OWN: readonly (readonly [path: string, type: ColumnType])[] = [
  ["candor.source", "text"],
  ["type", "text"],
  ["event", "text"],
  ["name", "text"],
  ["messageId", "text"],
  ["timestamp", "time"],
  ["receivedAt", "time"],
  ["originalTimestamp", "time"],
  ["sentAt", "time"],
  ["userId", "text"],
  ["anonymousId", "text"],
  ["candor.country", "text"],
  ["candor.planVersion", "integer"],
  ["candor.sentPlanVersion", "integer"],
  ["candor.skipped", "integer"],
  ["candor.trimmed", "json"],
];

/** A place in an event, with its column if it has one. */
interface Place {
  column?: { readonly index: number; readonly type: ColumnType };
  readonly inner: Map<string, Place>;
}

/**
 * Creates the table of a plan's events.
 * @param wanted leaves out the columns of other sources and events
 */
export function createEventTable(
  plan: Plan,
  wanted: { readonly source?: string; readonly event?: string } = {},
): EventTable {
  const types = new Map<string, ColumnType>(
    OWN.map(([path, type]) => [JSON.stringify(path.split(".")), type]),
  );
  const isWanted = (source: string): boolean => wanted.source === undefined || wanted.source === source;
  for (const event of plan.events) {
    const isOne = wanted.event === undefined || wanted.event === event.name;
    if (isOne && event.sources.some(isWanted)) addTypes(types, [rootOf(event.type)], event.fields);
  }
  for (const source of PLAN_SOURCES)
    if (isWanted(source)) addTypes(types, ["context"], plan.sources[source]?.context ?? {});
  const root: Place = { inner: new Map() };
  const names = new Set(["rest"]);
  const columns = [...types].map(([key, type], index): Column => {
    const path: string[] = JSON.parse(key);
    placeAt(root, path).column = { index, type };
    const name = freeName(path[0] === "candor" ? path.slice(1) : path, names);
    names.add(name);
    return { name, type };
  });
  return {
    columns: [...columns, { name: "rest", type: "json" }],
    toRow: (event) => {
      const row = columns.map((): Cell => null);
      const rest = fill(row, isRecord(event) ? event : {}, root);
      return [...row, Object.keys(rest).length === 0 ? null : JSON.stringify(rest)];
    },
  };
}

function addTypes(types: Map<string, ColumnType>, root: readonly string[], fields: Fields): void {
  for (const [name, field] of Object.entries(fields)) {
    const path = [...root, name];
    if (field.type === "object") addTypes(types, path, field.fields);
    else {
      const key = JSON.stringify(path);
      const type = typeOf(field);
      types.set(key, commonType(types.get(key) ?? type, type));
    }
  }
}

function typeOf({ type }: FieldType): ColumnType {
  if (type === "string") return "text";
  return type === "array" || type === "object" ? "json" : type;
}

/** Returns a type for the values of both, because events may declare the same path with different types. */
function commonType(a: ColumnType, b: ColumnType): ColumnType {
  if (a === b) return a;
  const isNumber = (type: ColumnType): boolean => type === "integer" || type === "number";
  return isNumber(a) && isNumber(b) ? "number" : "json";
}

/** Names a column as the store does: `properties_timeElapsed`. Of two that would be equal, the later gets a number. */
function freeName(path: readonly string[], taken: ReadonlySet<string>): string {
  const name = path.join("_").replace(/\W/g, "_");
  for (let n = 2, free = name; ; n++) {
    if (!taken.has(free)) return free;
    free = `${name}_${n}`;
  }
}

function placeAt(root: Place, path: readonly string[]): Place {
  let place = root;
  for (const name of path) {
    const next = place.inner.get(name) ?? { inner: new Map() };
    place.inner.set(name, next);
    place = next;
  }
  return place;
}

/** Puts values into their cells, and returns those that have no column or do not fit it. */
function fill(row: Cell[], value: object, place: Place | undefined): object {
  const rest: [string, unknown][] = [];
  for (const [name, one] of Object.entries(value)) {
    const found = place?.inner.get(name);
    const cell = found?.column && toCell(one, found.column.type);
    if (found?.column !== undefined && cell !== undefined) row[found.column.index] = cell;
    else if (isRecord(one)) {
      const left = fill(row, one, found);
      if (Object.keys(left).length > 0) rest.push([name, left]);
    } else rest.push([name, one]);
  }
  return Object.fromEntries(rest);
}

/** Returns the value as a cell; undefined if it is not of the type. */
function toCell(value: unknown, type: ColumnType): Cell | undefined {
  if (type === "json") return JSON.stringify(value);
  if (type === "boolean") return typeof value === "boolean" ? value : undefined;
  if (type === "integer") return Number.isSafeInteger(value) ? Number(value) : undefined;
  if (type === "number") return typeof value === "number" ? value : undefined;
  if (typeof value !== "string") return undefined;
  return type === "text" || isTime(value) ? value : undefined;
}

/** Whether a text is a time as the collector writes it, which a Parquet time can give back. */
function isTime(text: string): boolean {
  const time = new Date(text);
  return !Number.isNaN(time.getTime()) && time.toISOString() === text;
}
