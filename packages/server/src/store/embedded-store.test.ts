import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Engine, startEngine } from "@candor/engine";
import { afterAll, beforeAll, describe } from "vitest";
import { openStore } from "./client.ts";
import { describeStoreContract } from "./store.contract.ts";

const dir = mkdtempSync(join(tmpdir(), "candor-store-"));
let engine: Engine;

beforeAll(async () => {
  engine = await startEngine({ dataDir: dir });
  await engine.ready();
});
afterAll(async () => {
  await engine.close();
  rmSync(dir, { recursive: true });
});

describe("the embedded engine", () => {
  describeStoreContract(async () => openStore({ socketPath: engine.socketPath }));
});
