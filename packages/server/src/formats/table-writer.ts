/** Writes rows as CSV, NDJSON or Parquet, piece by piece, so that a long table needs little memory. */
import { stringify } from "csv-stringify/sync";
import { createParquetWriter } from "./parquet.ts";

export const TABLE_FORMATS = ["csv", "ndjson", "parquet"] as const;
export type TableFormat = (typeof TABLE_FORMATS)[number];

/** `time`: a text in RFC 3339, which Parquet stores as a time. `json`: a text that is JSON. */
export type ColumnType = "text" | "integer" | "number" | "boolean" | "time" | "json";

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

/** A value of its column's type; null if there is none. */
export type Cell = string | number | boolean | null;

export interface TableWriter {
  /** Adds rows, each with a cell for every column. Returns the bytes that are ready, which may be none. */
  add(rows: readonly (readonly Cell[])[]): Uint8Array;
  /** Returns the last bytes. Nothing can be added afterwards. */
  end(): Uint8Array;
}

const NOTHING = new Uint8Array();

/** Creates a writer. Without rows, CSV has its header, and Parquet its columns. */
export function createTableWriter(format: TableFormat, columns: readonly Column[]): TableWriter {
  if (format === "parquet") return createParquetWriter(columns);
  return format === "csv" ? createCsvWriter(columns) : createNdjsonWriter(columns);
}

function createCsvWriter(columns: readonly Column[]): TableWriter {
  let header = toCsv([columns.map(({ name }) => name)]);
  const withHeader = (text: string): Uint8Array => {
    const bytes = Buffer.from(header + text);
    header = "";
    return bytes;
  };
  return { add: (rows) => withHeader(toCsv(rows)), end: () => withHeader("") };
}

/**
 * A spreadsheet runs a text that begins with one of `= + - @`, a tab or a carriage return as a formula, so such a text
 * gets a `'` before it. Numbers stay as they are.
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
function toCsv(rows: readonly (readonly Cell[])[]): string {
  return stringify(
    rows.map((row) => [...row]),
    { escape_formulas: true, cast: { boolean: String } },
  );
}

function createNdjsonWriter(columns: readonly Column[]): TableWriter {
  const toText = (row: readonly Cell[]): string =>
    `${JSON.stringify(Object.fromEntries(columns.map(({ name }, at) => [name, row[at]])))}\n`;
  return { add: (rows) => Buffer.from(rows.map(toText).join("")), end: () => NOTHING };
}
