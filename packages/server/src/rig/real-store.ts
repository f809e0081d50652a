import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEngine } from "@candor/engine";
import { openStore, type Store } from "../store/client.ts";
import { migrate } from "../store/migrate.ts";

/** For tests: the real engine with the schema in it and no rows, reading them from files as the collector has it do. */
export interface TestStore {
  readonly store: Store;
  /** Holds the engine's files; a test may add its own. Removed by `close`. */
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
  return { store, dir, close };
}
