import { readdirSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { type ClickHouseClient, createClient } from "@clickhouse/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Engine, startEngine } from "./index.ts";

let folder: string;
let engine: Engine;
let client: ClickHouseClient;
const lines: string[] = [];

function connectClient(options: Parameters<typeof createClient>[0] = {}): ClickHouseClient {
  const agentOptions = { socketPath: engine.socketPath, keepAlive: true };
  const agent = new Agent(agentOptions);
  return createClient({ url: "http://localhost", http_agent: agent, log: { level: 127 }, ...options });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "engine-test-"));
  engine = await startEngine({ dataDir: join(folder, "store"), log: (line) => lines.push(line) });
  await engine.ready();
  client = connectClient();
  await client.command({ query: "CREATE DATABASE candor" });
});

afterAll(async () => {
  await client.close();
  await engine.close();
  await rm(folder, { recursive: true });
});

const DURABLE =
  "SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1";

async function createTable(name: string): Promise<string> {
  await client.command({
    query: `CREATE TABLE candor.${name} (id UInt64, body String) ENGINE = MergeTree ORDER BY id ${DURABLE}`,
  });
  return `candor.${name}`;
}

async function rowsOf<T>(query: string, params: Record<string, unknown> = {}): Promise<T[]> {
  const result = await client.query({ query, query_params: params, format: "JSONEachRow" });
  return result.json<T>();
}

const count = async (table: string) =>
  Number((await rowsOf<{ n: string }>(`SELECT count() AS n FROM ${table}`))[0]?.n);

const bytes = (content: string) => Readable.from([Buffer.from(content)], { objectMode: false });

function send(
  path: string,
  options: { method?: string; body?: Buffer | string; headers?: Record<string, string> } = {},
) {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
    (resolve, reject) => {
      const { method = "POST", body, headers = {} } = options;
      const sent = request(
        { socketPath: engine.socketPath, path, method, headers, agent: false },
        async (response) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: await text(response),
          }),
      );
      sent.on("error", reject);
      sent.end(body);
    },
  );
}

describe("access", () => {
  test("only the owner can access the socket, its folder and the files that the engine writes", () => {
    const modeOf = (path: string) => statSync(path).mode & 0o777;
    expect(modeOf(engine.socketPath)).toBe(0o600);
    expect(modeOf(dirname(engine.socketPath))).toBe(0o700);
    const files = readdirSync(join(folder, "store"), { recursive: true, encoding: "utf8" });
    const open = files.filter((file) => (modeOf(join(folder, "store", file)) & 0o077) !== 0);
    expect(open).toEqual([]);
  });
});

describe("inserting", () => {
  test("a block inserted twice under one token is stored once", async () => {
    const table = await createTable("twice");
    const insert = (token: string) =>
      client.insert({
        table,
        values: bytes("1\ta\n2\tb\n"),
        format: "TabSeparated",
        clickhouse_settings: { insert_deduplication_token: token },
      });
    await insert("0-2");
    await insert("0-2");
    expect(await count(table)).toBe(2);
    await insert("2-4");
    expect(await count(table)).toBe(4);
  });

  test("rows are inserted from objects and from a stream, and the summary counts them", async () => {
    const table = await createTable("shapes");
    const values = [
      { id: 1, body: 'quote " tab \t line \n' },
      { id: 2, body: "žluťoučký 😀" },
    ];
    const inserted = await client.insert({ table, values, format: "JSONEachRow", columns: ["id", "body"] });
    expect(inserted.summary?.written_rows).toBe("2");
    await client.insert({ table, values: Readable.from([{ id: 3, body: "" }]), format: "JSONEachRow" });
    expect(await rowsOf(`SELECT id, body FROM ${table} ORDER BY id`)).toEqual([
      ...values,
      { id: 3, body: "" },
    ]);
  });

  test("a rejected row is an error with ClickHouse's code, and nothing of its block is stored", async () => {
    const table = await createTable("rejected");
    const insert = client.insert({ table, values: bytes("1\ta\nnot a number\tb\n"), format: "TabSeparated" });
    await expect(insert).rejects.toMatchObject({ code: "27", type: "CANNOT_PARSE_INPUT_ASSERTION_FAILED" });
    expect(await count(table)).toBe(0);
  });

  test("a SETTINGS clause, a database in the URL, inline rows and a gzipped body work as in ClickHouse", async () => {
    const table = await createTable("forms");
    const into = (sql: string) => `/?database=candor&query=${encodeURIComponent(sql)}`;
    const header =
      "INSERT INTO `forms` (`id`, body) SETTINGS insert_deduplication_token = 'it''s', max_threads = 1";
    for (let i = 0; i < 2; i++) {
      expect((await send(into(`${header} FORMAT TSV`), { body: "1\turl\n" })).status).toBe(200);
    }
    await send("/", { body: `INSERT INTO ${table} FORMAT JSONEachRow\n{"id":2,"body":"inline"}\n` });
    await send("/", { body: `INSERT INTO ${table} VALUES (3, 'values; -- no comment')` });
    const gzipped = gzipSync("4\tgzip\n");
    await send(into("INSERT INTO forms FORMAT TSV"), {
      body: gzipped,
      headers: { "Content-Encoding": "gzip" },
    });
    expect(await rowsOf(`SELECT body FROM ${table} ORDER BY id`)).toEqual(
      ["url", "inline", "values; -- no comment", "gzip"].map((body) => ({ body })),
    );
  });

  test("a body that is cut off stores nothing", async () => {
    const table = await createTable("broken");
    const socket = connect(engine.socketPath);
    const sql = encodeURIComponent(`INSERT INTO ${table} FORMAT TSV`);
    socket.write(
      `POST /?query=${sql} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n1\twhole row\n2\thalf`,
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await count(table)).toBe(0);
  });

  test("a body over the limit is refused, even if only its inflated size is over the limit", async () => {
    const path = `/?query=${encodeURIComponent("INSERT INTO candor.none FORMAT TSV")}`;
    const refused = { status: 413, headers: { "x-clickhouse-exception-code": "229" } };
    expect(await send(path, { body: Buffer.alloc(65 * 1024 * 1024) })).toMatchObject(refused);
    const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024));
    expect(await send(path, { body: bomb, headers: { "Content-Encoding": "gzip" } })).toMatchObject(refused);
    expect((await send(path, { body: "no gzip", headers: { "Content-Encoding": "gzip" } })).status).toBe(500);
  });

  test("an unsupported format is refused, and the answer lists the supported ones", async () => {
    const table = await createTable("formats");
    const insert = client.insert({ table, values: bytes("x"), format: "Parquet" });
    await expect(insert).rejects.toMatchObject({ code: "48", type: "NOT_IMPLEMENTED" });
    await expect(insert).rejects.toThrow("JSONEachRow");
  });
});

describe("reading", () => {
  const ODD = [
    "",
    "\\N",
    "\\t",
    "'",
    '"',
    "`",
    "\t\n\r\0\b\f",
    "a\\'b",
    "{x:String}",
    "; DROP TABLE x --",
    "ěšč 😀 漢",
  ];

  test.each(ODD)("a parameter keeps its exact value: %j", async (value) => {
    expect(await rowsOf("SELECT {value:String} AS value", { value })).toEqual([{ value }]);
  });

  test("a parameter of any type keeps its exact value", async () => {
    const big = "18446744073709551615";
    const at = new Date("2024-02-29T12:34:56.789Z");
    const query = `SELECT {list:Array(String)} AS list, toString({big:UInt64}) AS big, {nothing:Nullable(String)} AS nothing,
      {at:DateTime64(3, 'UTC')} AS at, {yes:Bool} AS yes, {map:Map(String, String)} AS map, {table:Identifier} FROM (SELECT 1 AS a)`;
    const map = { "it's": "a\\b\tc" };
    const params = { list: ODD, big, nothing: null, at, yes: true, map, table: "a" };
    const [row] = await rowsOf(query, params);
    expect(row).toEqual({
      list: ODD,
      big,
      nothing: null,
      at: "2024-02-29 12:34:56.789",
      yes: true,
      map,
      a: 1,
    });
  });

  test("a parameter may be long", async () => {
    const ids = Array.from({ length: 20_000 }, (_, i) => `message-${i}`);
    expect(await rowsOf("SELECT length({ids:Array(String)}) AS n", { ids })).toEqual([{ n: 20_000 }]);
  });

  test("settings, parameters and the database of one query do not affect the next", async () => {
    const settings = { max_threads: 1, date_time_input_format: "best_effort_us" } as const;
    const query = "SELECT getSetting('date_time_input_format') AS format, currentDatabase() AS database";
    const other = connectClient({ database: "candor" });
    const result = await other.query({
      query,
      clickhouse_settings: settings,
      query_params: { x: 1 },
      format: "JSONEachRow",
    });
    expect(await result.json()).toEqual([{ format: "best_effort_us", database: "candor" }]);
    await other.close();
    expect(await rowsOf(query)).toEqual([{ format: "best_effort", database: "default" }]);
    await expect(rowsOf("SELECT {x:UInt8}")).rejects.toMatchObject({
      code: "456",
      type: "UNKNOWN_QUERY_PARAMETER",
    });
  });

  test("what a statement changes in its session does not affect later statements", async () => {
    await client.command({ query: "SET max_block_size = 7" });
    await client.command({ query: "USE candor" });
    await client.command({ query: "CREATE TEMPORARY TABLE passing (a UInt8)" });
    const state = "SELECT currentDatabase() AS database, getSetting('max_block_size') AS size";
    for (let i = 0; i < 20; i++) expect(await rowsOf(state)).toEqual([{ database: "default", size: 65409 }]);
    await expect(rowsOf("SELECT * FROM passing")).rejects.toMatchObject({ type: "UNKNOWN_TABLE" });
  });

  test("concurrent queries each get their own answer", async () => {
    const query = "SELECT {i:UInt16} AS i, {s:String} AS s, getSetting('max_block_size') AS size";
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const params = { i, s: `'${i}'` };
        const settings = { max_block_size: `${1000 + i}` };
        const result = await client.query({
          query,
          query_params: params,
          clickhouse_settings: settings,
          format: "JSONEachRow",
        });
        return result.json();
      }),
    );
    expect(answers).toEqual(answers.map((_, i) => [{ i, s: `'${i}'`, size: 1000 + i }]));
  });

  test("results have the requested format, as a whole and as a stream", async () => {
    const json = await client.query({ query: "SELECT number AS n FROM numbers(3)", format: "JSON" });
    expect(await json.json()).toMatchObject({ rows: 3, data: [{ n: 0 }, { n: 1 }, { n: 2 }] });
    const rows = await client.query({
      query: "SELECT number AS n FROM numbers(100000)",
      format: "JSONEachRow",
    });
    let streamed = 0;
    for await (const chunk of rows.stream()) streamed += chunk.length;
    expect(streamed).toBe(100_000);
    const exec = await client.exec({ query: "SELECT 1 AS a FORMAT CSVWithNames" });
    expect(await text(exec.stream)).toBe('"a"\n1\n');
    expect(exec.response_headers).toMatchObject({
      "x-clickhouse-format": "CSVWithNames",
      "content-type": "text/csv; charset=UTF-8; header=present",
    });
  });

  test("a client that asks for compression accepts uncompressed answers", async () => {
    const other = connectClient({ compression: { request: true, response: true } });
    const table = await createTable("compressed");
    await other.insert({ table, values: [{ id: 7, body: "b".repeat(1000) }], format: "JSONEachRow" });
    const result = await other.query({ query: `SELECT id FROM ${table}`, format: "JSONEachRow" });
    expect(await result.json()).toEqual([{ id: 7 }]);
    await other.close();
  });

  test("pings and paths are answered as in ClickHouse", async () => {
    expect(await client.ping()).toEqual({ success: true });
    expect(await client.ping({ select: true })).toEqual({ success: true });
    expect(await send("/", { method: "GET" })).toMatchObject({ status: 200, body: "Ok.\n" });
    expect((await send("/nowhere", { method: "GET" })).status).toBe(404);
    const named = await send("/?query_id=mine", { body: "SELECT 1" });
    expect(named).toMatchObject({ status: 200, body: "1\n", headers: { "x-clickhouse-query-id": "mine" } });
  });
});

describe("faults", () => {
  test.each([
    ["SELECT * FROM nowhere", "60", "UNKNOWN_TABLE", 404],
    ["SELEC 1", "62", "SYNTAX_ERROR", 400],
    ["", "62", "SYNTAX_ERROR", 400],
    ["SELECT 1; SELECT 2", "62", "SYNTAX_ERROR", 400],
    ["SELECT throwIf(1)", "395", "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO", 500],
    [
      "SELECT * FROM numbers(1e8) ORDER BY rand() SETTINGS max_memory_usage = 10000000",
      "241",
      "MEMORY_LIMIT_EXCEEDED",
      500,
    ],
    [
      "SELECT repeat(toString(number), 1000000) FROM numbers(400) SETTINGS max_block_size = 10",
      "396",
      "TOO_MANY_ROWS_OR_BYTES",
      500,
    ],
  ])("%j is ClickHouse's error %s", async (query, code, type, status) => {
    const answer = await send("/", { body: query });
    expect(answer).toMatchObject({ status, headers: { "x-clickhouse-exception-code": code } });
    expect(answer.body).toMatch(
      new RegExp(`^Code: ${code}\\. DB::Exception: .*\\(${type}\\) \\(version [\\d.]+\\)\n$`, "s"),
    );
    if (query !== "") await expect(client.command({ query })).rejects.toMatchObject({ code, type });
  });

  test("an unknown setting and a parameter that needs a session are refused", async () => {
    const unknown = await send("/?nosuchsetting=1", { body: "SELECT 1" });
    expect(unknown).toMatchObject({ status: 404, headers: { "x-clickhouse-exception-code": "115" } });
    expect((await send("/?session_id=a", { body: "SELECT 1" })).status).toBe(501);
    expect((await send("/?no-name=a", { body: "SELECT 1" })).status).toBe(400);
  });
});

describe("concurrency", () => {
  const SLOW = "SELECT count() FROM numbers(1e13) WHERE cityHash64(number) = 7 SETTINGS max_threads = 1";

  test("a long read does not delay an insert, and stops when its client disconnects", async () => {
    const table = await createTable("beside");
    const goAway = new AbortController();
    const reads = Array.from({ length: 8 }, () => client.query({ query: SLOW, abort_signal: goAway.signal }));
    let ended = 0;
    const settled = Promise.allSettled(reads.map((read) => read.finally(() => (ended += 1))));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await client.insert({ table, values: [{ id: 1, body: "quick" }], format: "JSONEachRow" });
    expect(ended).toBe(0);
    goAway.abort();
    await settled;
    // The aborted reads have freed their permits, so this query is answered.
    expect(await count(table)).toBe(1);
    const running =
      "SELECT count() AS n FROM system.processes WHERE query LIKE '%cityHash64(number)%' AND query NOT LIKE '%processes%'";
    await expect.poll(async () => (await rowsOf<{ n: number }>(running))[0]?.n, { timeout: 5000 }).toBe(0);
  });
});

describe("resources", () => {
  test("there are no system log tables, caches are small, and memory is limited", async () => {
    expect(
      await rowsOf("SELECT name FROM system.tables WHERE database = 'system' AND name LIKE '%\\_log'"),
    ).toEqual([]);
    const settings = await rowsOf<{ name: string; value: string }>(
      "SELECT name, value FROM system.server_settings WHERE name IN ('mark_cache_size', 'max_server_memory_usage') ORDER BY name",
    );
    expect(settings.map(({ value }) => Number(value))).toEqual([32 * 1024 * 1024, 2_000_000_000]);
  });
});
