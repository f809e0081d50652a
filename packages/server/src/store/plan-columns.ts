/** Applies the plan to the store, and owns the columns of `events` that depend on the plan. */
import { type Field, type Fields, type Plan, rootOf } from "@candor/plan";
import type { Store } from "./client.ts";
import { derivedColumns } from "./derived-columns.ts";
import { applyRetention } from "./retention.ts";
import { applyRollups } from "./rollups.ts";
import { quoteName, quoteText } from "./sql-text.ts";

/** A column of `events` for a field that the plan marks with `column`. */
export interface PlanColumn {
  /** The column's name, such as `properties_timeElapsed`: letters, digits and `_` only. */
  readonly name: string;
  /** The field's path, such as `["properties", "timeElapsed"]`. */
  readonly path: readonly string[];
  /** The ClickHouse type. Absent numbers and booleans are null, absent texts and lists are empty. */
  readonly type: string;
}

const MAX_NAME_LENGTH = 100;

/** A column of `events` as it should exist in the store. */
interface Column {
  readonly name: string;
  readonly type: string;
  readonly expression: string;
  /**
   * Identifies what the column holds. The store keeps it as the column's comment. If it changes, the column
   * is created again.
   */
  readonly comment: string;
}

/**
 * Applies the plan's columns, views and retention to the store. Changes nothing if they are already in place.
 * @throws the client's errors while the store is unreachable
 */
export async function applyPlanToStore(store: Store, plan: Plan): Promise<void> {
  await applyColumns(store, columnsOf(plan));
  await applyRollups(store, plan);
  await applyRetention(store, plan);
}

/** Returns all columns of `events` that depend on the plan: those for reports, and those of marked fields. */
function columnsOf(plan: Plan): Column[] {
  const marked = planColumns(plan);
  return [
    ...derivedColumns(plan).map((column) => ({ ...column, comment: DERIVED })),
    ...marked.map((column) => ({
      name: column.name,
      type: column.type,
      expression: expressionOf(column, marked),
      comment: JSON.stringify(column.path),
    })),
  ];
}

const DERIVED = "for reports";

/** Returns the columns for all fields that a plan marks with `column`, sorted by path. */
export function planColumns(plan: Plan): PlanColumn[] {
  const types = new Map<string, string>();
  for (const event of plan.events) addTypes(types, [rootOf(event.type)], event.fields);
  const names = new Set<string>();
  return [...types].sort().map(([key, type]) => {
    const path: string[] = JSON.parse(key);
    const name = freeName(path, names);
    names.add(name);
    return { name, path, type };
  });
}

function addTypes(types: Map<string, string>, root: readonly string[], fields: Fields): void {
  for (const [name, field] of Object.entries(fields)) {
    const path = [...root, name];
    if (field.type === "object") addTypes(types, path, field.fields);
    else if (field.column) {
      const key = JSON.stringify(path);
      const type = storeTypeOf(field);
      types.set(key, commonType(types.get(key) ?? type, type));
    }
  }
}

const ITEM_TYPES = { string: "String", integer: "Int64", number: "Float64", boolean: "Bool" } as const;

function storeTypeOf(field: Exclude<Field, { type: "object" }>): string {
  if (field.type === "array") return `Array(${ITEM_TYPES[field.items.type]})`;
  if (field.type !== "string") return `Nullable(${ITEM_TYPES[field.type]})`;
  return field.enum === undefined ? "String" : "LowCardinality(String)";
}

/**
 * Returns a type that can hold the values of both types, because events may declare the same path with
 * different types. Every value can be read as a String: a value that is not text is read as its JSON.
 */
function commonType(a: string, b: string): string {
  if (a === b) return a;
  const isNumber = (type: string): boolean => type === "Nullable(Int64)" || type === "Nullable(Float64)";
  return isNumber(a) && isNumber(b) ? "Nullable(Float64)" : "String";
}

/**
 * Returns a column name that is still free. Two paths may yield the same name (`a.b` and `a_b`). Then the
 * later one gets a number.
 */
function freeName(path: readonly string[], taken: ReadonlySet<string>): string {
  const name = path.join("_").replace(/\W/g, "_").slice(0, MAX_NAME_LENGTH);
  for (let n = 2, free = name; ; n++) {
    if (!taken.has(free)) return free;
    free = `${name}_${n}`;
  }
}

/**
 * Returns the expression that computes a column from the envelope. Because columns are computed, a line of
 * the log does not depend on the plan, and older rows have values too. Fields directly in `properties` or
 * `traits` share one expression, which the store computes once. Parsing the envelope again for each column
 * would reduce the rows inserted per second by a quarter.
 */
function expressionOf({ path, type }: PlanColumn, columns: readonly PlanColumn[]): string {
  const [root = "", name = ""] = path;
  if (path.length > 2) return `JSONExtract(envelope, ${path.map(quoteText).join(", ")}, ${quoteText(type)})`;
  const siblings = columns.filter((column) => column.path.length === 2 && column.path[0] === root);
  const elements = siblings.map((sibling) => `${quoteName(sibling.path[1] ?? "")} ${sibling.type}`);
  const tuple = quoteText(`Tuple(${elements.join(", ")})`);
  return `tupleElement(JSONExtract(envelope, ${quoteText(root)}, ${tuple}), ${quoteText(name)})`;
}

/**
 * A column as it exists on all nodes; `type` is undefined if the column differs between nodes, or is missing
 * on some.
 */
interface FoundColumn {
  readonly type: string | undefined;
  readonly comment: string;
  readonly expression: string;
}

/**
 * Adds, changes and drops columns as the plan requires. A column whose path or type has changed is dropped
 * and created again. Columns are derived from the envelope, so nothing is lost.
 */
async function applyColumns(store: Store, columns: readonly Column[]): Promise<void> {
  const found = await findColumns(store);
  const wanted = new Map(columns.map((column) => [column.name, column]));
  const drops: string[] = [];
  for (const [name, { type, comment }] of found) {
    const column = wanted.get(name);
    if (column !== undefined && column.type === type && comment === column.comment) continue;
    drops.push(`DROP COLUMN IF EXISTS ${quoteName(name)}`);
    found.delete(name);
  }
  const changes = columns
    .filter(({ name, expression }) => found.get(name)?.expression !== expression)
    .map(({ name, type, expression, comment }) => {
      const action = found.has(name) ? "MODIFY COLUMN" : "ADD COLUMN IF NOT EXISTS";
      return `${action} ${quoteName(name)} ${type} MATERIALIZED ${expression} COMMENT ${quoteText(comment)}`;
    });
  const { local, spanning } = store.databases;
  await alterEvents(store, [spanning, local], drops);
  await alterEvents(store, [local, spanning], changes);
}

/** Returns the columns that were created for a plan, by name. */
async function findColumns(store: Store): Promise<Map<string, FoundColumn>> {
  const nodes = await store.queryEveryNode(
    `SELECT name, type, comment, default_expression AS expression FROM system.columns
WHERE database IN ('${store.databases.local}', '${store.databases.spanning}') AND table = 'events'
  AND (name = 'envelope' OR comment = ${quoteText(DERIVED)} OR startsWith(name, 'properties_') OR startsWith(name, 'traits_'))`,
  );
  const byName = new Map<string, string[]>();
  for (const { name, ...definition } of nodes.flat()) {
    const known = byName.get(String(name)) ?? [];
    byName.set(String(name), [...known, JSON.stringify(definition)]);
  }
  const tables = byName.get("envelope")?.length;
  byName.delete("envelope");
  const entries = [...byName].map(([name, found]): [string, FoundColumn] => {
    const definition: FoundColumn = JSON.parse(found[0] ?? "{}");
    const isSame = found.length === tables && new Set(found).size === 1;
    return [name, isSame ? definition : { ...definition, type: undefined }];
  });
  return new Map(entries);
}

/**
 * Makes all changes in one statement for each table, because each statement that drops columns takes a
 * second.
 */
async function alterEvents(
  store: Store,
  databases: readonly string[],
  changes: readonly string[],
): Promise<void> {
  if (changes.length === 0) return;
  for (const database of databases) {
    if (database === store.databases.spanning && store.cluster === undefined) continue;
    await store.command(`ALTER TABLE ${database}.events ${changes.join(", ")}`);
  }
}
