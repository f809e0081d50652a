/** Derives tables from the schema of a report's answer, for the formats that have rows and columns. */
import { isRecord } from "@candor/envelope/unknown-value";
import type { Cell, Column, ColumnType } from "../formats/table-writer.ts";

/** The part of a JSON schema that is read here. */
interface Shape {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly patternProperties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** A table of a report. */
export interface ReportTable {
  /** The path of its list in the answer, joined by `_`; `summary` for the answer's single values. */
  readonly name: string;
  /**
   * Returns the columns and the rows of an answer.
   * @param keysOf the keys that are known to an object with any keys, by the object's name. They are columns even if
   * no row has them.
   */
  readonly read: (
    answer: unknown,
    keysOf: Readonly<Record<string, readonly string[]>>,
  ) => { readonly columns: readonly Column[]; readonly rows: readonly (readonly Cell[])[] };
}

/** A single value, or an object with any keys, at a path. */
interface Leaf {
  readonly path: readonly string[];
  readonly type: ColumnType;
  readonly hasAnyKeys: boolean;
}

interface List {
  readonly path: readonly string[];
  readonly item: Shape;
}

/**
 * Returns the tables of an answer, the main one first: the first list that is not about who was left out. Each list is
 * a table, of whose inner list each item makes a row. The other values are the table `summary`, with one row.
 */
export function tablesOf(answer: unknown): readonly ReportTable[] {
  const { leaves, lists } = partsOf(toShape(answer), []);
  const tables = lists.map(toTable);
  const main = tables.findIndex(({ name }) => !name.startsWith("base_"));
  const summary: ReportTable = {
    name: "summary",
    read: (value, keysOf) => toRows([[value]], [leaves], keysOf),
  };
  return [...tables.splice(Math.max(0, main), 1), ...tables, summary];
}

function toTable({ path, item }: List): ReportTable {
  const own = partsOf(item, []);
  const [inner, ...others] = own.lists;
  if (others.length > 0) throw new Error(`The list ${path.join(".")} has two lists in it.`);
  const innerLeaves = inner === undefined ? [] : partsOf(inner.item, []).leaves;
  return {
    name: path.join("_"),
    read: (answer, keysOf) => {
      const items = listAt(answer, path);
      const rows =
        inner === undefined
          ? items.map((one) => [one])
          : items.flatMap((one) => listAt(one, inner.path).map((part) => [one, part]));
      return toRows(rows, [own.leaves, innerLeaves], keysOf);
    },
  };
}

function toShape(value: unknown): Shape {
  return isRecord(value) ? value : {};
}

/** Lists the single values and the lists of an object, and of the objects in it. */
function partsOf(shape: Shape, path: readonly string[]): { readonly leaves: Leaf[]; readonly lists: List[] } {
  const { type, properties, patternProperties, items, anyOf, minItems, maxItems } = shape;
  const present = anyOf?.find((one) => one.type !== "null");
  if (present !== undefined) return partsOf(present, path);
  if (properties !== undefined) {
    const parts = Object.entries(properties).map(([name, inner]) => partsOf(inner, [...path, name]));
    return { leaves: parts.flatMap(({ leaves }) => leaves), lists: parts.flatMap(({ lists }) => lists) };
  }
  if (type === "array" && items !== undefined) {
    // A list of a fixed length, such as an interval, is a column for each place.
    if (minItems === undefined || minItems !== maxItems)
      return { leaves: [], lists: [{ path, item: items }] };
    const places = Array.from({ length: minItems }, (_, at) => partsOf(items, [...path, String(at)]));
    return { leaves: places.flatMap(({ leaves }) => leaves), lists: [] };
  }
  const hasAnyKeys = patternProperties !== undefined;
  return { leaves: [{ path, type: toColumnType(type), hasAnyKeys }], lists: [] };
}

function toColumnType(type: string | undefined): ColumnType {
  return type === "integer" || type === "number" || type === "boolean" ? type : "text";
}

/**
 * @param rows for each row, the objects that it is made of
 * @param leaves for each of these objects, the values that become columns
 */
function toRows(
  rows: readonly (readonly unknown[])[],
  leaves: readonly (readonly Leaf[])[],
  keysOf: Readonly<Record<string, readonly string[]>>,
): ReturnType<ReportTable["read"]> {
  const places = leaves.flatMap((of, at) =>
    of.flatMap((leaf) => {
      if (!leaf.hasAnyKeys) return [{ ...leaf, at }];
      const seen = rows.flatMap((row) => Object.keys(toShape(valueAt(row[at], leaf.path))));
      const keys = new Set([...(keysOf[leaf.path.at(-1) ?? ""] ?? []), ...seen.sort()]);
      return [...keys].map((key) => ({ ...leaf, path: [...leaf.path, key], at }));
    }),
  );
  return {
    columns: places.map(({ path, type }) => ({ name: path.join("_"), type })),
    rows: rows.map((row) => places.map(({ path, at }) => toCell(valueAt(row[at], path)))),
  };
}

function listAt(value: unknown, path: readonly string[]): readonly unknown[] {
  const found = valueAt(value, path);
  return Array.isArray(found) ? found : [];
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (found, key) =>
      typeof found === "object" && found !== null && Object.hasOwn(found, key)
        ? Reflect.get(found, key)
        : undefined,
    value,
  );
}

function toCell(value: unknown): Cell {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return null;
}
