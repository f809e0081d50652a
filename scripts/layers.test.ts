import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "candor-layers-"));

beforeAll(() => {
  writeFileSync(join(folder, "biome.json"), readFileSync(join(root, "layers.biome.json")));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Lints a file with a single import. @returns whether the import is allowed */
function allows(file: string, code: string): boolean {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, code);
  const biome = join(root, "node_modules/.bin/biome");
  const { stdout, stderr } = spawnSync(biome, ["lint", "--only=noRestrictedImports", path], {
    cwd: folder,
    encoding: "utf8",
  });
  rmSync(path);
  return !`${stdout}${stderr}`.includes("may import");
}

test.each([
  ["packages/server/src/log/segment.ts", 'import { CandorError } from "../errors.ts";', true],
  ["packages/server/src/log/segment.ts", 'import { openDisk } from "./disk.ts";', true],
  ["packages/server/src/log/segment.ts", 'import { openStore } from "../store/client.ts";', false],
  ["packages/server/src/log/segment.ts", 'import type { Store } from "../store/client.ts";', false],
  ["packages/server/src/log/segment.ts", 'export { openStore } from "../store/client.ts";', false],
  ["packages/server/src/log/segment.ts", 'await import("../main.ts");', false],
  ["packages/server/src/log/segment.test.ts", 'import { openStore } from "../store/client.ts";', true],
  ["packages/server/src/pipeline.ts", 'import { toLine } from "./row.ts";', true],
  ["packages/server/src/pipeline.ts", 'import { openStore } from "./store/client.ts";', false],
  ["packages/server/src/store/drain.ts", 'import { createForget } from "../forget/forget.ts";', false],
  ["packages/server/src/query/events.ts", 'import { createForget } from "../forget/forget.ts";', false],
  ["packages/server/src/instance/held-events.ts", 'import { findRoute } from "../request/route.ts";', false],
  ["packages/node/src/state/lease.ts", 'import { ConsentGate } from "../consent/gate.ts";', false],
  ["packages/plan/src/runtime/compile.ts", 'import { loadPlan } from "../load.ts";', false],
])("in %s, %s is allowed: %s", (file, code, isAllowed) => {
  expect(allows(file, code)).toBe(isAllowed);
});

test("biome.json, which npm run check uses, includes the rules of the layers", () => {
  expect(JSON.parse(readFileSync(join(root, "biome.json"), "utf8")).extends).toContain("./layers.biome.json");
});
