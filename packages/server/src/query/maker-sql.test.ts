import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CandorError } from "../errors.ts";
import { startStoreForTest, type TestStore } from "../rig/real-store.ts";
import { createMakerSql, type RunMakerSql, readMakerSql } from "./maker-sql.ts";

const folder = mkdtempSync(join(tmpdir(), "candor-sql-"));
let real: TestStore;
let runSql: RunMakerSql;
const run = (query: string, format = "csv"): Promise<string> => runSql(readMakerSql({ query, format }));

/** The result, or the code of the fault. */
async function attempt(query: string): Promise<unknown> {
  try {
    return await run(query);
  } catch (error) {
    return error instanceof CandorError ? error.code : error;
  }
}

beforeAll(async () => {
  real = await startStoreForTest();
  runSql = createMakerSql(real.store);
  await real.store.insertRows("contacts", [{ day: "2026-01-31", contact: "ada@example.org" }]);
});
afterAll(async () => {
  await real?.close();
  rmSync(folder, { recursive: true });
});

it("answers a query as CSV or as lines of JSON, in its own order", async () => {
  const query = "SELECT number AS n, 'a,b' AS text FROM numbers(3) ORDER BY n DESC; ";
  expect(await run(query)).toBe('"n","text"\n2,"a,b"\n1,"a,b"\n0,"a,b"\n');
  expect(await run("WITH 1 AS one SELECT one -- a comment", "ndjson")).toBe('{"one":1}\n');
  expect(await run("SELECT contact FROM contacts")).toBe('"contact"\n"ada@example.org"\n');
});

describe("changes nothing, and reads nothing but the store", () => {
  const file = join(folder, "out.csv");

  it.each([
    ["an insert", "INSERT INTO contacts (contact) VALUES ('x')"],
    ["a deletion", "ALTER TABLE contacts DELETE WHERE 1"],
    ["a drop", "DROP TABLE contacts"],
    ["a second statement", "SELECT 1; DROP TABLE contacts"],
    ["the end of the subquery", "SELECT 1) UNION ALL (SELECT 2"],
    ["a setting", "SET readonly = 0"],
    ["a file of the system", "SELECT * FROM file('/etc/passwd', LineAsString)"],
    [
      "a file, after taking back the setting",
      "SELECT * FROM file('/etc/passwd', LineAsString) SETTINGS readonly = 0",
    ],
    ["a file, by a function", "SELECT file('/etc/passwd')"],
    ["a database in a file", "SELECT * FROM sqlite('/etc/passwd', 'a')"],
    ["a file, by a function after a comment", "SELECT file/* */('/etc/passwd')"],
    [
      "a query as a text",
      "SELECT * FROM eval('SELECT * FROM fi' || 'le(''/etc/passwd'', LineAsString) SET' || 'TINGS readonly = 0')",
    ],
    ["a model in a file", "SELECT catboostEvaluate('/etc/passwd', 1)"],
    ["a service", "SELECT aiGenerate('Hello')"],
    ["a program", "SELECT * FROM executable('id', TSV, 'a String')"],
    ["another server", "SELECT * FROM remote('127.0.0.1:9', system.one)"],
    ["an object store", "SELECT * FROM s3('http://127.0.0.1:9/bucket/x.csv', 'CSV')"],
    ["a file for its result", `SELECT 1 INTO OUTFILE '${file}' FORMAT CSV`],
    ["a file for its result, after the subquery", `SELECT 1) INTO OUTFILE '${file}' FORMAT CSV --`],
    ["a file for its result, before an open comment", `SELECT 1) INTO OUTFILE '${file}' FORMAT CSV /*`],
  ])("%s", async (what, query) => {
    const answer = await attempt(query);
    // Two results of one query are harmless.
    const expected = what === "the end of the subquery" ? ['"1"\n1\n2\n'] : ["sql_failed", "query_invalid"];
    expect(expected).toContain(answer);
    expect(existsSync(file)).toBe(false);
    expect(await run("SELECT count() AS n FROM contacts")).toBe('"n"\n1\n');
  });

  it("an address, also after taking back the setting", async () => {
    let requests = 0;
    const server = createServer((_request, response) => {
      requests += 1;
      response.end("1\n");
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const url = `url('http://127.0.0.1:${(server.address() as AddressInfo).port}/', CSV, 'a UInt8')`;
    for (const query of [`SELECT * FROM ${url}`, `SELECT * FROM ${url} SETTINGS readonly = 0`])
      expect(["sql_failed", "query_invalid"]).toContain(await attempt(query));
    server.close();
    expect(requests).toBe(0);
  });
});

it.each([
  ["too many rows", "SELECT number FROM numbers(200000)"],
  ["too much memory", "SELECT groupArray(number) FROM numbers(1000000000)"],
])("a query that needs %s ends with a sentence, and the store goes on", async (_what, query) => {
  await expect(run(query)).rejects.toMatchObject({ code: "sql_failed" });
  expect(await run("SELECT 1 AS one")).toBe('"one"\n1\n');
});

it("a fault in the query is told in ClickHouse's words", async () => {
  await expect(run("SELECT colour FROM events")).rejects.toMatchObject({
    code: "sql_failed",
    message: expect.stringContaining("colour"),
  });
});

it("one query runs at a time, and four wait", async () => {
  const waiting = Array.from({ length: 5 }, () => run("SELECT sleepEachRow(0.05) FROM numbers(5)"));
  expect(() => run("SELECT 1")).toThrow("Other SQL is running");
  await Promise.all(waiting);
  expect(await run("SELECT 1 AS one")).toBe('"one"\n1\n');
});

it.each([
  [{}, "query is a SELECT"],
  [{ query: "x".repeat(20_001) }, "at most 20000 characters"],
  [{ query: "SELECT 1", format: "parquet" }, "format is csv or ndjson."],
  [{ query: "SELECT 1 Settings readonly = 0" }, "The word Settings may not be in the query"],
  [{ sql: "SELECT 1" }, 'The body has "query" and "format"'],
])("the body %j is refused", (body, words) => {
  expect(() => readMakerSql(body)).toThrow(words);
});
