import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "@candor/bench/usage-event";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFleet } from "../../server/src/rig/fleet.ts";
import {
  basic,
  eventually,
  startForTest,
  type TestCandor,
  WRITE_KEYS,
} from "../../server/src/rig/in-process.ts";
import { startStoreForTest, type TestStore } from "../../server/src/rig/real-store.ts";
import { writeExport } from "./export.ts";
import { FileUnwritable } from "./output.ts";

const folder = mkdtempSync(join(tmpdir(), "candor-export-"));
/** Declares some of the fields that the fleet sends, with nested ones, in mode `observe`. */
const PLAN = join(folder, "plan.yaml");
const FIELD = "type: string, sensitivity: technical, description: A value., example: a";
const EVENTS = `
  - type: track
    name: Instance Active
    source: [server]
    since: 1
    why: It is tested.
    owner: tests
    review: https://example.org/review
    properties:
      instanceId: { ${FIELD} }
      os: { ${FIELD} }
      system:
        type: object
        description: The machine.
        fields:
          cpus: { type: integer, sensitivity: technical, description: Their number., example: 4 }
          load: { type: number, sensitivity: technical, description: The load., example: 0.5 }
      tags: { type: array, sensitivity: technical, description: Tags., example: [a], items: { type: string } }
`;

type Row = Record<string, unknown>;

let candor: TestCandor;
let reader: TestStore;
let stored: Row[];

const asked = () => ({ url: candor.url, token: "token-a" });

beforeAll(async () => {
  const observe = readFileSync(new URL("../../server/fixtures/plans/observe.yaml", import.meta.url), "utf8");
  writeFileSync(PLAN, `${observe.trimEnd()}${EVENTS}`);
  candor = await startForTest({ CANDOR_PLAN: PLAN });
  reader = await startStoreForTest();
  const size = { instances: 60, installs: 10, days: 20, untilMs: Date.now() - 60_000 };
  const sent = makeFleet(seededRandom(11), size).filter(({ id }) => id !== "");
  const batch = sent.map(({ event, id, atMs, properties }, n) => ({
    ...{ type: n % 50 === 0 ? "identify" : "track", event, anonymousId: id, messageId: `m-${n}` },
    timestamp: new Date(atMs).toISOString(),
    traits: { plan: "=free", n },
    properties: {
      ...{ ...properties, tags: ["b", n], formula: "=1+1" },
      os: n % 3 === 0 ? "=cmd|' /C calc'!A0" : `ä"${n},\n`,
      system: { cpus: n % 2 === 0 ? n : "many", load: -n / 8, deep: { list: [{ a: 1 }], none: {} } },
    },
  }));
  expect(batch.length).toBeGreaterThan(2000);
  for (let at = 0; at < batch.length; at += 500)
    await candor.post(
      "/v1/batch",
      { batch: batch.slice(at, at + 500) },
      { authorization: basic(WRITE_KEYS.server) },
    );
  await eventually(
    () => candor.read("/api/count"),
    ({ count }) => count === batch.length,
  );
  const file = join(folder, "all.ndjson");
  expect(await writeExport(asked(), file, {})).toBe(`${batch.length.toLocaleString("en")} events were`);
  stored = linesOf(file);
});
afterAll(async () => {
  await candor?.close();
  await reader?.close();
  rmSync(folder, { recursive: true });
});

function linesOf(file: string): Row[] {
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** The only thing that a table loses. */
function withoutEmptyObjects(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const kept = Object.entries(value).map(([name, one]) => [name, withoutEmptyObjects(one)]);
  return Object.fromEntries(kept.filter(([, one]) => JSON.stringify(one) !== "{}"));
}

const PATHS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    ["source", "country", "planVersion", "sentPlanVersion", "skipped", "trimmed"].map((name) => [
      name,
      ["candor", name],
    ]),
  ),
  properties_system_cpus: ["properties", "system", "cpus"],
  properties_system_load: ["properties", "system", "load"],
  ...Object.fromEntries(
    ["instanceId", "os", "tags"].map((name) => [`properties_${name}`, ["properties", name]]),
  ),
};

/** Makes the event again from its row. */
function eventOf({ rest, ...cells }: Row): Row {
  const event: Row = JSON.parse(typeof rest === "string" ? rest : "{}");
  for (const [name, cell] of Object.entries(cells)) {
    if (cell === null) continue;
    const path = PATHS[name] ?? [name];
    let place = event;
    for (const part of path.slice(0, -1)) {
      place[part] ??= {};
      place = place[part] as Row;
    }
    place[path.at(-1) ?? ""] = ["trimmed", "properties_tags"].includes(name)
      ? JSON.parse(String(cell))
      : cell;
  }
  return event;
}

const TIMES = ["timestamp", "receivedAt", "originalTimestamp", "sentAt"];

test("Parquet has every event with the types of the plan", async () => {
  const file = join(folder, "all.parquet");
  await writeExport(asked(), file, {});
  const rows = await reader.store.query(`SELECT * FROM file('${file}', Parquet)`);
  const events = rows.map((row) => {
    for (const name of TIMES) if (row[name] !== null) row[name] = `${String(row[name]).replace(" ", "T")}Z`;
    return eventOf(row);
  });
  expect(events).toEqual(stored.map(withoutEmptyObjects));
  const types = await reader.store.query(`DESCRIBE file('${file}', Parquet)`);
  const typeOf = (name: string): unknown => types.find((one) => one.name === name)?.type;
  expect(["timestamp", "planVersion", "properties_system_load"].map(typeOf)).toEqual([
    "Nullable(DateTime64(3, 'UTC'))",
    "Nullable(Int64)",
    "Nullable(Float64)",
  ]);
});

test("CSV has every event, and no text that a spreadsheet would run", async () => {
  const file = join(folder, "all.csv");
  await writeExport(asked(), file, {});
  const text = readFileSync(file, "utf8");
  const header = text.slice(0, text.indexOf("\n")).split(",");
  const numbers = ["planVersion", "sentPlanVersion", "skipped", "properties_system_cpus"];
  const typeOf = (name: string): string =>
    numbers.includes(name) ? "Int64" : name === "properties_system_load" ? "Float64" : "String";
  const types = header.map((name) => `\`${name}\` Nullable(${typeOf(name)})`);
  const rows = await reader.store.query(
    `SELECT * FROM file('${file}', CSVWithNames, '${types.join(", ")}') SETTINGS format_csv_null_representation = ''`,
  );
  expect(
    rows.flatMap(Object.values).some((cell) => /^[=+@\t\r-]/.test(typeof cell === "string" ? cell : "")),
  ).toBe(false);
  const unquoted = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, cell]) => [
        name,
        typeof cell === "string" ? cell.replace(/^'(?=[=+@\t\r-])/, "") : cell,
      ]),
    ),
  );
  expect(unquoted.map(eventOf)).toEqual(stored.map(withoutEmptyObjects));
});

test("filters, formats by name, and no event at all", async () => {
  const file = join(folder, "some.txt");
  await writeExport(asked(), file, { format: "csv", event: "Installation Started" });
  const started = stored.filter(({ event, type }) => event === "Installation Started" && type === "track");
  expect(readFileSync(file, "utf8").trimEnd().split("\n").length).toBe(1 + started.length);
  const none = join(folder, "NONE.PARQUET");
  expect(await writeExport(asked(), none, { source: "client" })).toBe("0 events were");
  expect(await reader.store.query(`SELECT * FROM file('${none}', Parquet)`)).toEqual([]);
});

test("a report is written as the collector gives it, and its faults are the collector's", async () => {
  const file = join(folder, "installs.csv");
  await writeExport(asked(), file, { report: "instances/list", from: "2020-01-01", to: "2020-01-02" });
  expect(readFileSync(file, "utf8")).toBe("instanceId,firstSeen,lastSeen,activeDays,country,leftOut\n");
  await expect(writeExport(asked(), file, { report: "installs", table: "colours" })).rejects.toMatchObject({
    code: "query_invalid",
    message: expect.stringContaining("table is one of outcomes,"),
  });
  await expect(writeExport(asked(), file, { report: "colours" })).rejects.toMatchObject({
    code: "not_found",
  });
});

test("a file is for its owner alone, and stays as it was if the export fails", async () => {
  const file = join(folder, "kept.ndjson");
  await writeExport(asked(), file, { event: "Installation Started" });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const before = readFileSync(file, "utf8");
  await expect(writeExport(asked(), file, { from: "yesterday" })).rejects.toMatchObject({
    code: "query_invalid",
  });
  expect([readFileSync(file, "utf8"), existsSync(`${file}.part`)]).toEqual([before, false]);
  await expect(writeExport(asked(), join(folder, "no", "such.csv"), {})).rejects.toBeInstanceOf(
    FileUnwritable,
  );
});
