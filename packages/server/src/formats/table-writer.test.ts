import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startStoreForTest, type TestStore } from "../rig/real-store.ts";
import { type Cell, type Column, createTableWriter } from "./table-writer.ts";

const COLUMNS: readonly Column[] = [
  { name: "text", type: "text" },
  { name: "integer", type: "integer" },
  { name: "number", type: "number" },
  { name: "boolean", type: "boolean" },
  { name: "time", type: "time" },
  { name: "json", type: "json" },
];

let reader: TestStore;
beforeAll(async () => {
  reader = await startStoreForTest();
});
afterAll(() => reader?.close());

function write(format: "csv" | "ndjson" | "parquet", rows: readonly (readonly Cell[])[]): Buffer {
  const writer = createTableWriter(format, COLUMNS);
  const pieces = rows.map((row) => writer.add([row]));
  return Buffer.concat([...pieces, writer.end()]);
}

it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1+1"])(
  "a text that a spreadsheet would run as a formula is quoted in CSV: %j",
  (text) => {
    const [, line] = write("csv", [[text, -1, -0.5, false, null, null]])
      .toString()
      .split("\n");
    expect(line?.replaceAll('"', "")).toBe(`'${text},-1,-0.5,false,,`);
    expect(JSON.parse(write("ndjson", [[text, -1, -0.5, false, null, null]]).toString()).text).toBe(text);
  },
);

it("a header that a spreadsheet would run is quoted too", () => {
  const writer = createTableWriter("csv", [{ name: "=cmd", type: "text" }]);
  expect(Buffer.from(writer.end()).toString()).toBe("'=cmd\n");
});

it("CSV quotes commas, quotes and line breaks, and has one header however many pieces there are", () => {
  expect(
    write("csv", [
      ['a,"b"\n', 1, 1.5, true, "2026-01-31T00:00:00.000Z", "[]"],
      ["", 2, 2, false, null, null],
    ]).toString(),
  ).toBe(
    'text,integer,number,boolean,time,json\n"a,""b""\n",1,1.5,true,2026-01-31T00:00:00.000Z,[]\n,2,2,false,,\n',
  );
});

it("Parquet of several row groups has every value with its type, and what is ready is handed on before the end", async () => {
  const rows = Array.from({ length: 45_000 }, (_, n): readonly Cell[] =>
    n % 7 === 0
      ? [null, null, null, null, null, null]
      : [`ä${n % 100}`, n - 20_000, n / 8, n % 2 === 0, new Date(n * 1e8).toISOString(), `[${n}]`],
  );
  const writer = createTableWriter("parquet", COLUMNS);
  const before = writer.add(rows);
  expect(before.length).toBeGreaterThan(100_000);
  const file = join(reader.dir, "groups.parquet");
  writeFileSync(file, Buffer.concat([before, writer.end()]));
  const [about] = await reader.store.query(
    `SELECT num_row_groups AS groups, num_rows AS rows FROM file('${file}', ParquetMetadata)`,
  );
  expect([Number(about?.groups), Number(about?.rows)]).toEqual([3, rows.length]);
  const types = await reader.store.query(`DESCRIBE file('${file}', Parquet)`);
  expect(types.map(({ type }) => type)).toEqual([
    ...["Nullable(String)", "Nullable(Int64)", "Nullable(Float64)", "Nullable(Bool)"],
    ...["Nullable(DateTime64(3, 'UTC'))", "Nullable(String)"],
  ]);
  const read = await reader.store.query(`SELECT * FROM file('${file}', Parquet)`);
  rmSync(file);
  const timeOf = (time: unknown): Cell =>
    typeof time === "string" ? new Date(`${time.replace(" ", "T")}Z`).toISOString() : null;
  expect(
    read.map((row) => [row.text, row.integer, row.number, row.boolean, timeOf(row.time), row.json]),
  ).toEqual(rows);
});
