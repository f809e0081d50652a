import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "@candor/bench/usage-event";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeFleet } from "../rig/fleet.ts";
import {
  APPSMITH_PLAN,
  answerOf,
  basic,
  eventually,
  startForTest,
  type TestCandor,
  WRITE_KEYS,
} from "../rig/in-process.ts";
import { startStoreForTest, type TestStore } from "../rig/real-store.ts";

/** The tables of each report, the main one first. */
const TABLES: Readonly<Record<string, readonly string[]>> = {
  overview: ["activeByDay", "base_leftOut", "summary"],
  installs: [
    ...["outcomes", "base_leftOut", "errors", "systems", "byDay"],
    ...["before_outcomes", "before_errors", "before_systems", "before_byDay", "summary"],
  ],
  instances: ["activeByDay", "base_leftOut", "survival", "cloned", "summary"],
  "instances/list": ["instances", "base_leftOut", "summary"],
  "instances/timeline": ["days", "summary"],
  versions: ["versions", "base_leftOut", "byWeek", "summary"],
  facts: ["facts", "base_leftOut", "summary"],
  features: ["features", "base_leftOut", "summary"],
  anonymity: ["fields", "base_leftOut", "summary"],
  support: ["byDay", "fields", "summary"],
  base: ["base_leftOut", "summary"],
  plan: ["trimmed", "refused", "summary"],
};
const CASES = Object.entries(TABLES).flatMap(([report, names]) =>
  names.map((name) => [report, name] as const),
);
const QUERY = "established=false&environment=all";

type Row = Record<string, unknown>;

let candor: TestCandor;
/** Reads Parquet files. */
let reader: TestStore;
let instance = "";

beforeAll(async () => {
  candor = await startForTest({ CANDOR_PLAN: APPSMITH_PLAN });
  reader = await startStoreForTest();
  const size = { instances: 25, installs: 15, days: 20, untilMs: Date.now() - 60_000 };
  const messages = makeFleet(seededRandom(7), size);
  instance = messages.find(({ event }) => event === "Instance Active")?.id ?? "";
  for (const source of ["server", "installer"] as const) {
    const batch = messages
      .filter((message) => message.source === source)
      .map(({ event, id, atMs, properties }) => ({
        ...{ type: "track", event, properties: { ...properties, undeclared: 1 } },
        ...{ anonymousId: id, timestamp: new Date(atMs).toISOString() },
      }));
    for (let at = 0; at < batch.length; at += 1000) {
      const answer = await fetch(`${candor.url}/v1/batch`, {
        method: "POST",
        headers: { authorization: basic(WRITE_KEYS[source]) },
        body: JSON.stringify({ batch: batch.slice(at, at + 1000) }),
      });
      expect(answer.status).toBe(200);
    }
  }
  await eventually(
    () => candor.read("/api/count"),
    ({ count }) => count === messages.length,
  );
});
afterAll(async () => {
  await candor?.close();
  await reader?.close();
});

const get = (path: string): Promise<Response> =>
  fetch(`${candor.url}/api/reports/${path}`, { headers: { authorization: "Bearer token-a" } });

function addressOf(report: string, query: string): string {
  if (report === "instances/timeline") return `${report}?instance=${instance}&${query}`;
  const others = report === "support" || report === "plan" ? "" : `${QUERY}&`;
  return `${report}?${others}${report === "features" ? "by=pluginName&" : ""}${query}`;
}

/** The values of an object by their paths, joined by `_`. Lists of a changing length are left out. */
function flat(value: unknown, path: readonly string[] = []): Row {
  if (Array.isArray(value) && path.at(-1) !== "interval") return {};
  if (typeof value !== "object" || value === null) return { [path.join("_")]: value };
  const inner = Object.entries(value).map(([key, one]) => flat(one, [...path, key]));
  return Object.assign({}, ...inner);
}

/** The rows of a table, from the JSON answer alone. */
function expectedRows(answer: unknown, table: string): Row[] {
  if (table === "summary") return [flat(answer)];
  const list = table.split("_").reduce<unknown>((found, key) => (found as Row)[key], answer);
  return (list as Row[]).flatMap((item) => {
    const inner = Object.entries(item).find(([key, value]) => Array.isArray(value) && key !== "interval");
    if (inner === undefined) return [flat(item)];
    return (inner[1] as Row[]).map((part) => ({ ...flat(item), ...flat(part) }));
  });
}

/** Leaves out what is null, because JSON has no value in an absent object, and the tables have null. */
const withoutNulls = (rows: readonly Row[]): Row[] =>
  rows.map((row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)));

async function readParquet(bytes: ArrayBuffer): Promise<Row[]> {
  const file = join(reader.dir, "report.parquet");
  writeFileSync(file, new Uint8Array(bytes));
  const rows = await reader.store.query(`SELECT * FROM file('${file}', Parquet)`);
  rmSync(file);
  return rows;
}

/** Reads CSV in which no text is like a number or a boolean. */
async function readCsv(text: string, columns: Row): Promise<Row[]> {
  const file = join(reader.dir, "report.csv");
  writeFileSync(file, text);
  const types = Object.keys(columns).map((name) => `\`${name}\` Nullable(String)`);
  const rows = await reader.store.query(
    `SELECT * FROM file('${file}', CSVWithNames, '${types.join(", ")}') SETTINGS format_csv_null_representation = ''`,
  );
  rmSync(file);
  return rows;
}

describe("every report as a table", () => {
  it.each(CASES)("has the same values in every format (%s, %s)", async (report, table) => {
    const answer = await (await get(addressOf(report, ""))).json();
    const expected = expectedRows(answer, table);
    const ndjson = await get(addressOf(report, `format=ndjson&table=${table}`));
    const lines: Row[] = (await ndjson.text())
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
    const moving = ({ asOf: _asOf, ...row }: Row): Row => row;
    expect(withoutNulls(lines).map(moving)).toEqual(withoutNulls(expected).map(moving));
    const parquet = await get(addressOf(report, `format=parquet&table=${table}`));
    expect((await readParquet(await parquet.arrayBuffer())).map(moving)).toEqual(lines.map(moving));
    const csv = await (await get(addressOf(report, `format=csv&table=${table}`))).text();
    const header = csv.split("\n")[0]?.split(",") ?? [];
    if (lines.length > 0) expect(header).toEqual(Object.keys(lines[0] ?? {}));
    const texts = lines.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          value === null || value === "" ? null : String(value),
        ]),
      ),
    );
    const columns = Object.fromEntries(header.map((name) => [name, ""]));
    expect((await readCsv(csv, columns)).map(moving)).toEqual(texts.map(moving));
  });

  it.each(Object.entries(TABLES))("names the tables of %s", async (report, [main, ...others]) => {
    const response = await get(addressOf(report, "format=csv&table=colours"));
    expect([response.status, (await answerOf(response)).message]).toEqual([
      400,
      `table is one of ${[main, ...others].join(", ")}.`,
    ]);
    const usual = await get(addressOf(report, "from=2026-01-01&to=2026-01-31&format=csv"));
    expect(usual.headers.get("content-disposition")).toBe(
      `attachment; filename="candor-${report.replace("/", "-")}-${main}-2026-01-01-2026-01-31.csv"`,
    );
  });

  it("has rows in the tables that the fleet fills", async () => {
    const filled = [
      "activeByDay",
      "outcomes",
      "instances",
      "days",
      "versions",
      "facts",
      "features",
      "fields",
    ];
    for (const [report, [main = ""]] of Object.entries(TABLES)) {
      const text = await (await get(addressOf(report, "format=csv"))).text();
      if (filled.includes(main)) expect(text.split("\n").length).toBeGreaterThan(2);
    }
  });

  it("has a header alone when there is nothing, and says what it is", async () => {
    const response = await get("features?from=2020-01-01&to=2020-01-02&format=csv");
    expect(await response.text()).toBe(
      "source,event,value,instances,share,count,successShare,durations_count,durations_p50Ms,durations_p95Ms,durations_p99Ms\n",
    );
    expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
    const list = await get("instances/list?from=2020-01-01&to=2020-01-02&format=csv");
    expect(await list.text()).toContain(",facts_version,");
    const ndjson = await get("features?from=2020-01-01&to=2020-01-02&format=ndjson");
    expect([await ndjson.text(), ndjson.headers.get("content-type")]).toEqual([
      "",
      "application/x-ndjson; charset=utf-8",
    ]);
    const parquet = await get("features?from=2020-01-01&to=2020-01-02&format=parquet");
    expect(parquet.headers.get("content-type")).toBe("application/vnd.apache.parquet");
    expect(await readParquet(await parquet.arrayBuffer())).toEqual([]);
  });
});
