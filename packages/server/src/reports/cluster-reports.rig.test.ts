import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cluster, startCluster } from "@candor/engine/rig";
import { afterAll, describe } from "vitest";
import { openStore, type Store } from "../store/client.ts";
import { migrate } from "../store/migrate.ts";
import { describeReportsContract } from "./reports.contract.ts";

const dir = mkdtempSync(join(tmpdir(), "candor-cluster-"));
let cluster: Cluster;
let store: Store;
afterAll(async () => {
  await store.close();
  await cluster.close();
  rmSync(dir, { recursive: true });
});

describe("reports on a cluster of two shards say what the messages say", () => {
  describeReportsContract(async () => {
    cluster = await startCluster({ shards: 2, dir });
    store = openStore({ urls: cluster.urls, cluster: cluster.clusterName });
    await migrate(store);
    return store;
  });
});
