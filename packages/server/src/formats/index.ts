/** The entry point of the formats: writes tables as CSV, NDJSON and Parquet. */
export {
  type Cell,
  type Column,
  type ColumnType,
  createTableWriter,
  TABLE_FORMATS,
  type TableFormat,
  type TableWriter,
} from "./table-writer.ts";
