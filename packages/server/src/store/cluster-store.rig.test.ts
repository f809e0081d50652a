import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cluster, startCluster } from "@candor/engine/rig";
import { loadPlan, type Plan } from "@candor/plan";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createForget } from "../forget/forget.ts";
import { readHeldEvents, readHeldPage } from "../instance/held-events.ts";
import { reportInstances } from "../reports/instances-report.ts";
import { readPeriod } from "../reports/period.ts";
import { eventually, startForTest } from "../rig/in-process.ts";
import { rowLine } from "../rig/row-line.ts";
import { EVENT_TARGET } from "../row.ts";
import { openStore } from "./client.ts";
import { applyPlanToStore, planColumns } from "./plan-columns.ts";
import { askForRebuild, rebuildPending } from "./rollups.ts";
import { describeStoreContract } from "./store.contract.ts";

const samplePlan = (): Plan =>
  loadPlan(
    readFileSync(new URL("../../../../plans/appsmith.yaml", import.meta.url), "utf8"),
    "appsmith.yaml",
  );

const planLine = (id: string): string =>
  rowLine({
    event: "Planned",
    messageId: id,
    userId: "planned",
    timestamp: "2026-11-01T00:00:00.000",
    receivedAt: "2026-11-01T00:00:00.000",
    envelope: '{"properties":{"os":"ubuntu"}}',
  });

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

  it("has a plan's columns and retention on all nodes, also on one that lacked them", async () => {
    const store = openStore({ urls: cluster.urls, cluster: cluster.clusterName });
    const plan = samplePlan();
    const names = planColumns(plan).map(({ name }) => name);
    const insert = (token: string): Promise<void> =>
      store.insertLines(
        EVENT_TARGET,
        Buffer.from(Array.from({ length: 50 }, (_, n) => planLine(`${token}-${n}`)).join("")),
        token,
      );
    await insert("plan-before");
    await applyPlanToStore(store, plan);
    await insert("plan-after");
    const [second] = cluster.urls.slice(1).map((url) => openStore({ urls: [url], cluster: undefined }));
    await second?.command(`ALTER TABLE candor.events DROP COLUMN ${names[0]}`);
    await applyPlanToStore(store, plan);
    await applyPlanToStore(store, plan);
    const rows = await store.query(
      "SELECT properties_os AS os, toUInt32(count()) AS rows FROM events WHERE event = 'Planned' GROUP BY os",
    );
    expect(rows).toEqual([{ os: "ubuntu", rows: 100 }]);
    const tables = await second?.query(
      "SELECT engine_full AS full FROM system.tables WHERE name = 'contacts' AND engine = 'MergeTree'",
    );
    expect(tables?.[0]?.full).toContain(" TTL ");
    await second?.close();
    await store.close();
  });

  it("reads an instance's events and finds copied instances on all nodes", async () => {
    const store = openStore({ urls: cluster.urls, cluster: cluster.clusterName });
    const instanceId = "4".repeat(24);
    const [hours, boots] = [Array.from({ length: 20 }, (_, n) => String(n).padStart(2, "0")), ["a", "b"]];
    const lines = hours.map((hour, n) => {
      const properties = { instanceId, boot: boots[n % 2]?.repeat(16) };
      const time = `2026-11-02T${hour}:00:00.000`;
      const messageId = `alive-${hour}`;
      return rowLine({
        event: "Instance Active",
        messageId,
        anonymousId: "a",
        timestamp: time,
        receivedAt: time,
        envelope: JSON.stringify({ messageId, properties }),
      });
    });
    await store.insertLines(EVENT_TARGET, Buffer.from(lines.join("")), "alive");
    const product = {
      store,
      log: { pending: () => ({ rows: 0, bytes: 0, oldestMs: undefined }) },
      plan: samplePlan,
    };
    const deps = {
      ...product,
      products: [product],
      now: () => Date.parse("2026-11-03T00:00:00.000Z"),
    };
    const seen: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = JSON.parse(
        await readHeldEvents(instanceId, readHeldPage({ limit: 8, cursor: cursor ?? null }), deps),
      );
      seen.push(...page.events.map((event: { messageId: string }) => event.messageId));
      cursor = page.next;
    }
    expect(seen).toEqual(hours.map((hour) => `alive-${hour}`));
    expect(
      (
        await reportInstances(
          { ...deps, plan: { current: () => ({ plan: samplePlan() }) }, storedUntilMs: deps.now },
          readPeriod(new URLSearchParams(), { plan: samplePlan(), nowMs: deps.now() }),
        )
      ).cloned,
    ).toEqual([
      {
        instanceId,
        boots: 2,
        firstSeen: "2026-11-02T00:00:00.000Z",
        lastSeen: "2026-11-02T19:00:00.000Z",
      },
    ]);
    await store.close();
  });

  it("deletes forgotten rows on all nodes", async () => {
    const store = openStore({ urls: cluster.urls, cluster: cluster.clusterName });
    const nowhere = join(dir, "nothing");
    const log = { pending: () => ({ rows: 0, bytes: 0, oldestMs: undefined }) };
    const deps = {
      store,
      log,
      logDir: nowhere,
      quarantineDir: nowhere,
      rollups: {
        noteMonths: (months: readonly number[]) => askForRebuild(store, months),
        rebuild: () => rebuildPending(store, samplePlan(), (task) => task()),
      },
      storedForms: (id: string) => [id],
      plan: samplePlan,
      now: Date.now,
    };
    const { removed } = await createForget(deps)({ user: "planned" });
    expect(removed[0]).toEqual({ where: "events", rows: 100 });
    for (const url of cluster.urls) {
      const shard = openStore({ urls: [url], cluster: undefined });
      const [row] = await shard.query(
        "SELECT countIf(userId = 'planned') AS gone, count() > 0 AS others, (SELECT count() FROM candor.forgetting) AS ids FROM candor.events",
      );
      expect([Number(row?.gone), Boolean(row?.others), Number(row?.ids)]).toEqual([0, true, 0]);
      await shard.close();
    }
    await store.close();
  });

  it("receives a collector's rows if the settings name it", async () => {
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
