import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cluster, startCluster } from "@candor/engine/rig";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, startForTest } from "../rig/in-process.ts";
import { openStore } from "./client.ts";
import { describeStoreContract } from "./store.contract.ts";

const dir = mkdtempSync(join(tmpdir(), "candor-cluster-"));
let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ shards: 2, dir });
});
afterAll(async () => {
  await cluster.close();
  rmSync(dir, { recursive: true });
});

describe("a cluster of two ClickHouse servers", () => {
  describeStoreContract(async () => openStore({ urls: cluster.urls, cluster: cluster.clusterName }));

  it("spreads events over its shards", async () => {
    for (const url of cluster.urls) {
      const shard = openStore({ urls: [url], cluster: undefined });
      const [row] = await shard.query("SELECT count() AS rows FROM candor.events WHERE event = 'Token'");
      expect(Number(row?.rows)).toBeGreaterThan(500);
      await shard.close();
    }
  });

  it("is what a collector drains into when the settings name it", async () => {
    const candor = await startForTest({
      CANDOR_CLICKHOUSE_URL: cluster.urls.join(","),
      CANDOR_CLICKHOUSE_CLUSTER: cluster.clusterName,
    });
    const batch = Array.from({ length: 50 }, (_, n) => ({
      type: "track",
      event: "Spread",
      userId: "u",
      messageId: `spread-${n}`,
    }));
    await candor.post("/v1/batch", { batch });
    const { count } = await eventually(
      () => candor.read("/api/count?event=Spread"),
      (answer) => answer.count === 50,
    );
    expect(count).toBe(50);
    await candor.close();
  });
});
