/** Lists the formats in which rows can be inserted, and gives the Content-Type of a result in any format. */
import type { RawInsertFormat } from "chdb";

const RAW_FORMATS: Readonly<Record<string, RawInsertFormat>> = {
  JSONEachRow: "JSONEachRow",
  JSONLines: "JSONEachRow",
  NDJSON: "JSONEachRow",
  JSONCompactEachRow: "JSONCompactEachRow",
  TabSeparated: "TabSeparated",
  TSV: "TabSeparated",
  TabSeparatedWithNames: "TabSeparatedWithNames",
  TSVWithNames: "TabSeparatedWithNames",
  CSV: "CSV",
  CSVWithNames: "CSVWithNames",
};

/** All names of the formats in which rows can be inserted as raw bytes. */
export const INSERT_FORMATS: readonly string[] = Object.keys(RAW_FORMATS);

/** Returns chDB's name for an insert format; undefined for any other name. */
export function rawInsertFormat(name: string): RawInsertFormat | undefined {
  return Object.hasOwn(RAW_FORMATS, name) ? RAW_FORMATS[name] : undefined;
}

/** Returns the Content-Type that ClickHouse uses for a format. */
export function contentType(format: string): string {
  if (/^(JSONLines|NDJSON|JSON\w*EachRow\w*)$/.test(format)) return "application/x-ndjson; charset=UTF-8";
  if (format.startsWith("JSON")) return "application/json; charset=UTF-8";
  if (/^(TSV|TabSeparated)/.test(format)) return "text/tab-separated-values; charset=UTF-8";
  if (format.startsWith("CSV")) {
    return `text/csv; charset=UTF-8; header=${format.includes("WithNames") ? "present" : "absent"}`;
  }
  if (/^(RowBinary|Native|Parquet|Arrow|ORC|Avro|MsgPack|BSON)/.test(format))
    return "application/octet-stream";
  return "text/plain; charset=UTF-8";
}
