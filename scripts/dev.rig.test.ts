// Tests `npm run dev` in a copy of this repository: a change of a source restarts the collector with it.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const WAIT = { timeout: 120_000, interval: 100 };

const copy = mkdtempSync(join(tmpdir(), "candor-dev-"));
const banner = join(copy, "packages/cli/src/banner.ts");
let printed = "";
let dev: ChildProcess;

beforeAll(async () => {
  const sources = execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" });
  for (const path of sources.split("\0").filter((one) => one !== ""))
    cpSync(join(ROOT, path), join(copy, path), { recursive: true, verbatimSymlinks: true });
  const configs = sources.split("\0").filter((path) => path.endsWith("/tsconfig.json"));
  for (const folder of configs.map(dirname))
    cpSync(join(ROOT, folder, "dist"), join(copy, folder, "dist"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  dev = spawn(process.execPath, ["scripts/dev.mjs"], {
    cwd: copy,
    env: { ...process.env, CANDOR_DATA_DIR: join(copy, "data"), CANDOR_PORT: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [dev.stdout, dev.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
});
afterAll(async () => {
  if (dev?.exitCode === null && dev.kill("SIGTERM")) await once(dev, "exit");
  rmSync(copy, { recursive: true, force: true });
});

/** The addresses that `npm run dev` has printed after `<title> on`, oldest first. */
function addresses(title: string): readonly string[] {
  return [...printed.matchAll(new RegExp(`${title} on (http://\\S+)`, "g"))].map(([, url]) => url ?? "");
}

function change(from: string, to: string): void {
  const source = readFileSync(banner, "utf8");
  expect(source).toContain(from);
  writeFileSync(banner, source.replace(from, to));
}

it("restarts the collector after a change that compiles, and keeps the old one after one that does not", async () => {
  await expect.poll(() => addresses("Candor is collecting").length, WAIT).toBe(1);
  const [first = ""] = addresses("Candor is collecting");
  expect((await fetch(`${first}/readyz`)).status).toBe(200);

  change("export function renderBanner", "export funktion renderBanner");
  await expect.poll(() => printed, WAIT).toMatch(/Found [1-9]\d* errors?/);
  expect((await fetch(`${first}/readyz`)).status).toBe(200);
  change("export funktion renderBanner", "export function renderBanner");
  change("Candor is collecting", "Candor is gathering");
  await expect.poll(() => addresses("Candor is gathering").length, WAIT).toBe(1);
  await expect(fetch(`${first}/readyz`)).rejects.toThrow();
  const [second = ""] = addresses("Candor is gathering");
  expect((await fetch(`${second}/readyz`)).status).toBe(200);
});
