/** For tests: starts the embedded engine with an up-to-date schema. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Engine, startEngine } from "@candor/engine";
import type { Plan, PlanSource } from "@candor/plan";
import { openStore, type Store } from "../store/client.ts";
import { migrate } from "../store/migrate.ts";

/**
 * For tests and measurements: the real engine with the schema and no rows. It reads rows from files, as it
 * does in the collector.
 */
export interface TestStore {
  readonly store: Store;
  readonly engine: Engine;
  /** The folder of the engine's files. A test may add its own files. Deleted by `close`. */
  readonly dir: string;
  close(): Promise<void>;
}

export async function startStoreForTest(): Promise<TestStore> {
  const dir = mkdtempSync(join(tmpdir(), "candor-store-"));
  const engine = await startEngine({ dataDir: join(dir, "store") });
  await engine.ready();
  const store = openStore({ socketPath: engine.socketPath, rowsDir: join(dir, "rows") });
  await migrate(store);
  const close = async (): Promise<void> => {
    await store.close();
    await engine.close();
    rmSync(dir, { recursive: true });
  };
  return { store, engine, dir, close };
}

const LONG_DAYS = 36_500;

/**
 * Returns the plan with a retention so long that rows with fixed dates never expire, whenever a test runs.
 */
export function withLongRetention(plan: Plan): Plan {
  const sources = Object.entries(plan.sources).map(([name, source]): [string, PlanSource] => [
    name,
    { ...source, retentionDays: LONG_DAYS },
  ]);
  return { ...plan, contacts: { retentionDays: LONG_DAYS }, sources: Object.fromEntries(sources) };
}
