/** For tests: a product outside this repository that has installed the packed SDK. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateCommonJs, generateJavaScript, generateTypeScript, loadPlan } from "@candor/plan";
import { afterAll } from "vitest";

export const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const PLAN_FILE = join(ROOT, "plans/appsmith.yaml");

export interface PackedProduct {
  readonly dir: string;
  /** The folder in which the package is installed. */
  readonly installed: string;
  /** Writes a file in the product's folder. @returns the file's path */
  write(name: string, text: string): string;
  /** Runs Node in the product's folder, with consent given. @param args the arguments of Node */
  run(...args: readonly string[]): Promise<{ readonly status: number | null; readonly output: string }>;
}

/**
 * Creates a product whose folder contains the reference plan as plan.mjs, plan.cjs and plan.ts. The folder is
 * deleted after the tests of the file.
 */
export function createPackedProduct(): PackedProduct {
  const dir = mkdtempSync(join(tmpdir(), "candor-packed-"));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const installed = join(dir, "node_modules", "@candor", "node");
  execFileSync(process.execPath, [join(ROOT, "scripts/pack-node.mjs"), installed], { stdio: "ignore" });
  const write = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  write("package.json", "{}");
  const plan = loadPlan(readFileSync(PLAN_FILE, "utf8"), PLAN_FILE);
  write("plan.mjs", generateJavaScript(plan));
  write("plan.cjs", generateCommonJs(plan));
  write("plan.ts", generateTypeScript(plan));
  return { dir, installed, write, run: (...args) => runNode(dir, args) };
}

/** Runs Node without spawnSync, which would block a recorder that listens in this process. */
async function runNode(cwd: string, args: readonly string[]) {
  const env = { APPSMITH_DISABLE_TELEMETRY: "false", NO_COLOR: "1" };
  const child = spawn(process.execPath, args, { cwd, env });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { status, output };
}
