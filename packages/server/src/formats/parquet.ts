/** Writes Parquet in row groups, so that a file of any length is written with the memory of one group. */
import { ByteWriter, type ColumnSource, ParquetWriter, schemaFromColumnData } from "hyparquet-writer";
import type { Cell, Column, ColumnType, TableWriter } from "./table-writer.ts";

/** A row group ends at the first of these. Small groups compress less and make the file's footer long. */
const GROUP_ROWS = 20_000;
const GROUP_CHARACTERS = 16 * 1024 * 1024;

const TYPES: Readonly<Record<ColumnType, NonNullable<ColumnSource["type"]>>> = {
  text: "STRING",
  integer: "INT64",
  number: "DOUBLE",
  boolean: "BOOLEAN",
  time: "TIMESTAMP",
  // Readers differ in how they show Parquet's own JSON type, and some cannot read it.
  json: "STRING",
};

export function createParquetWriter(columns: readonly Column[]): TableWriter {
  const bytes = new ByteWriter();
  const toData = (rows: readonly (readonly Cell[])[]): ColumnSource[] =>
    columns.map(({ name, type }, at) => ({
      name,
      type: TYPES[type],
      data: rows.map((row) => toValue(row[at] ?? null, type)),
    }));
  const writer = new ParquetWriter({
    writer: bytes,
    schema: schemaFromColumnData({ columnData: toData([]) }),
    createdBy: "candor",
  });
  let group: (readonly Cell[])[] = [];
  let characters = 0;
  const writeGroup = (): void => {
    void writer.write({ columnData: toData(group), rowGroupSize: GROUP_ROWS }); // it waits for nothing here
    group = [];
    characters = 0;
  };
  return {
    add: (rows) => {
      for (const row of rows) {
        group.push(row);
        for (const cell of row) characters += typeof cell === "string" ? cell.length : 0;
        if (group.length >= GROUP_ROWS || characters >= GROUP_CHARACTERS) writeGroup();
      }
      return takeBytes(bytes);
    },
    end: () => {
      if (group.length > 0) writeGroup();
      void writer.finish();
      return takeBytes(bytes);
    },
  };
}

function toValue(cell: Cell, type: ColumnType): Cell | bigint | Date {
  if (type === "integer" && typeof cell === "number") return BigInt(cell);
  return type === "time" && typeof cell === "string" ? new Date(cell) : cell;
}

/** Takes what was written out of the buffer. The offset, which the footer needs, goes on counting. */
function takeBytes(bytes: ByteWriter): Uint8Array {
  const taken = bytes.getBytes().slice();
  bytes.index = 0;
  return taken;
}
