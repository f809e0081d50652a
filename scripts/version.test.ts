import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PLACES = [
  "package.json",
  ...["cli", "consent", "engine", "envelope", "installer", "node", "plan", "server"].map(
    (name) => `packages/${name}/package.json`,
  ),
  "bench/package.json",
  "conformance/package.json",
  "examples/appsmith/package.json",
  "examples/appsmith/demo/package.json",
  "packages/node/src/version.ts",
  "packages/installer/candor.sh",
  "packages/installer/candor.compact.sh",
];
const copy = mkdtempSync(join(tmpdir(), "candor-version-"));
const run = (...flags: string[]) =>
  spawnSync(process.execPath, [join(copy, "scripts/version.mjs"), ...flags], { encoding: "utf8" });

beforeAll(() => {
  for (const file of [...PLACES, "scripts/version.mjs"]) cpSync(join(ROOT, file), join(copy, file));
});
afterAll(() => rmSync(copy, { recursive: true }));

test("a new version in the root's package.json is written everywhere it is needed, and nothing else changes", () => {
  const path = join(copy, "package.json");
  const texts = PLACES.map((file) => readFileSync(join(copy, file), "utf8"));
  expect(run("--check").status).toBe(0);
  writeFileSync(path, readFileSync(path, "utf8").replace(/"version": "[^"]+"/, '"version": "9.8.7"'));
  const stale = run("--check");
  expect([stale.status, stale.stderr.trim().split("\n").length]).toEqual([1, PLACES.length - 1]);
  expect(run().status).toBe(0);
  expect(run("--check").status).toBe(0);
  const { version } = JSON.parse(texts[0] ?? "");
  for (const [index, file] of PLACES.entries()) {
    const changed = readFileSync(join(copy, file), "utf8");
    expect(changed, file).toContain("9.8.7");
    expect(changed.replaceAll("9.8.7", version), file).toBe(texts[index]);
  }
});
