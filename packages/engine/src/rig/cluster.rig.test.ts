import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClickHouseClient, createClient } from "@clickhouse/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { httpStatus } from "../http-answer.ts";
import { type Cluster, startCluster } from "./cluster.ts";

let folder: string;
let cluster: Cluster;
let clients: ClickHouseClient[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cluster-test-"));
  cluster = await startCluster({ shards: 2, dir: folder });
  clients = cluster.urls.map((url) => createClient({ url, log: { level: 127 } }));
  await everywhere("CREATE DATABASE candor");
});

afterAll(async () => {
  for (const client of clients) await client.close();
  await cluster.close();
  await rm(folder, { recursive: true });
});

async function everywhere(query: string): Promise<void> {
  for (const client of clients) await client.command({ query });
}

async function createTables(name: string): Promise<void> {
  await everywhere(`CREATE TABLE candor.${name}_local (id UInt64, body String) ENGINE = MergeTree ORDER BY id
    SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1`);
  await everywhere(`CREATE TABLE candor.${name} AS candor.${name}_local
    ENGINE = Distributed(${cluster.clusterName}, candor, ${name}_local, id)`);
}

async function countsOf(table: string): Promise<number[]> {
  const query = `SELECT count() AS n FROM candor.${table}`;
  const results = await Promise.all(clients.map((client) => client.query({ query, format: "JSONEachRow" })));
  const rows = await Promise.all(results.map((result) => result.json<{ n: string }>()));
  return rows.map(([row]) => Number(row?.n));
}

test("a Distributed table over two shards reads what was inserted into both", async () => {
  await createTables("spread");
  for (const [i, client] of clients.entries()) {
    await client.insert({
      table: "candor.spread_local",
      values: [{ id: i, body: `shard ${i}` }],
      format: "JSONEachRow",
    });
  }
  expect(await countsOf("spread_local")).toEqual([1, 1]);
  expect(await countsOf("spread")).toEqual([2, 2]);
});

test("a block inserted in the foreground into a Distributed table is stored once however often it is retried", async () => {
  await createTables("once");
  const values = Array.from({ length: 1000 }, (_, id) => ({ id, body: "b".repeat(100) }));
  const insert = (client: ClickHouseClient | undefined) =>
    client?.insert({
      table: "candor.once",
      values,
      format: "JSONEachRow",
      clickhouse_settings: { distributed_foreground_insert: 1, insert_deduplication_token: "0-1000" },
    });
  await insert(clients[0]);
  expect(await countsOf("once")).toEqual([1000, 1000]);
  await insert(clients[0]);
  expect(await countsOf("once")).toEqual([1000, 1000]);
  expect(await countsOf("once_local")).toEqual([500, 500]);
  await insert(clients[1]);
  expect(await countsOf("once")).toEqual([1000, 1000]);
});

test("a block that reached only one shard is stored once on both shards after its retry", async () => {
  await createTables("half");
  const drop = "DROP TABLE candor.half_local SYNC";
  await clients[1]?.command({ query: drop });
  const insert = () =>
    clients[0]?.insert({
      table: "candor.half",
      values: Array.from({ length: 1000 }, (_, id) => ({ id, body: "" })),
      format: "JSONEachRow",
      clickhouse_settings: { distributed_foreground_insert: 1, insert_deduplication_token: "0-1000" },
    });
  await expect(insert()).rejects.toMatchObject({ type: "UNKNOWN_TABLE" });
  await clients[1]?.command({
    query: `CREATE TABLE candor.half_local (id UInt64, body String) ENGINE = MergeTree ORDER BY id
      SETTINGS non_replicated_deduplication_window = 1000`,
  });
  await insert();
  expect(await countsOf("half_local")).toEqual([500, 500]);
});

test("an error code has the HTTP status that a real server gives it", async () => {
  const url = `${cluster.urls[0]}/?allow_custom_error_code_in_throwif=1&wait_end_of_query=1`;
  const differing: Record<number, number> = {};
  for (let code = 1; code < 800; code++) {
    const response = await fetch(url, { method: "POST", body: `SELECT throwIf(1, 'x', ${code}::Int16)` });
    await response.text();
    const given = Number(response.headers.get("x-clickhouse-exception-code"));
    if (given === code && response.status !== httpStatus(code)) differing[code] = response.status;
  }
  expect(differing).toEqual({});
});
