import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateJavaScript, generateTypeScript, loadPlan } from "@candor/plan";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startRecorder } from "./rig/recorder.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const plan = loadPlan(readFileSync(join(ROOT, "plans/appsmith.yaml"), "utf8"), "plans/appsmith.yaml");
let dir: string;
let installed: string;

/** The package as somebody has it who installed it: in a folder outside of this repository. */
beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, "scripts/pack-node.mjs")], { stdio: "ignore" });
  dir = mkdtempSync(join(tmpdir(), "candor-packed-"));
  installed = join(dir, "node_modules", "@candor", "node");
  cpSync(join(ROOT, "packages/node/packed"), installed, { recursive: true });
  mkdirSync(join(dir, "node_modules", "@types"), { recursive: true });
  for (const types of ["node", "undici-types"]) {
    const place = types === "node" ? join("@types", "node") : types;
    cpSync(join(ROOT, "node_modules", place), join(dir, "node_modules", place), { recursive: true });
  }
  writeFileSync(join(dir, "package.json"), '{"type":"module"}');
  writeFileSync(join(dir, "plan.mjs"), generateJavaScript(plan));
  writeFileSync(join(dir, "plan.ts"), generateTypeScript(plan));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

it("is one folder that needs nothing but Node", () => {
  const about = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  expect(about).toMatchObject({ name: "@candor/node" });
  expect(about.dependencies).toBeUndefined();
  const imports = readdirSync(installed, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(js|d\.ts)$/.test(name))
    .flatMap((name) => [
      ...readFileSync(join(installed, name), "utf8").matchAll(/^(?:import|export)\b[^"]*?from "([^"]+)"/gm),
    ])
    .map(([, specifier = ""]) => specifier)
    .filter((specifier) => !specifier.startsWith("."));
  const foreign = imports.filter((name) => !builtinModules.includes(name.replace(/^node:/, "")));
  expect(foreign).toEqual([]);
  expect(imports.length).toBeGreaterThan(5);
});

it("delivers from there, with a plan that was generated as a module", async () => {
  const recorder = await startRecorder();
  writeFileSync(
    join(dir, "run.mjs"),
    `import { createTelemetry } from "@candor/node";
     import { plan } from "./plan.mjs";
     const telemetry = createTelemetry({ plan, source: "server", writeKey: "k", host: ${JSON.stringify(recorder.url)}, stateDir: "telemetry" });
     telemetry.track("execute_ACTION_TRIGGERED", { pluginName: "PostgreSQL" });
     process.exitCode = (await telemetry.flush()) ? 0 : 1;`,
  );
  expect(await run(join(dir, "run.mjs"))).toEqual({ status: 0, output: "" });
  expect(recorder.kept).toMatchObject([{ event: "execute_ACTION_TRIGGERED" }]);
  await recorder.close();
});

/** Not spawnSync: the recorder listens in this process. */
async function run(file: string): Promise<{ status: number | null; output: string }> {
  const env = { PATH: process.env.PATH, APPSMITH_DISABLE_TELEMETRY: "false" };
  const child = spawn(process.execPath, [file], { cwd: dir, env });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { status, output };
}

const HEAD = `import { ALLOW_REASONS, createTelemetry, DENY_REASONS, explainFault, OFF_REASONS } from "@candor/node";
import type { Answer, ClientAddress, CountsReport, DenyReason, GatewayReport, Source } from "@candor/node";
import { plan } from "./plan.ts";
const SENTENCES = { ...ALLOW_REASONS, ...DENY_REASONS, ...OFF_REASONS };
const needed = { plan, source: "server", writeKey: "k", host: "https://c.example", stateDir: "t" } as const;
const telemetry = createTelemetry(needed);
`;

it.each([
  ['telemetry.track("execute_ACTION_TRIGGERED", { pluginName: "PostgreSQL", timeElapsed: 8 });', true],
  ['telemetry.track("execute_ACTION_TRIGGERED", { appMode: "view" }, { userId: "ada" });', true],
  ['telemetry.track("execute_ACTION_TRIGGERED");', true],
  ['telemetry.track("Instance Active", {});', true],
  ['telemetry.track("execute_ACTION", {});', false],
  ['telemetry.track("APPLICATIONS_PAGE_LOAD", {});', false],
  ['telemetry.track("execute_ACTION_TRIGGERED", { pluginNam: "PostgreSQL" });', false],
  ['telemetry.track("execute_ACTION_TRIGGERED", { timeElapsed: "8" });', false],
  ['telemetry.track("execute_ACTION_TRIGGERED", { appMode: "debug" });', false],
  ['telemetry.track("execute_ACTION_TRIGGERED", {}, { user: "ada" });', false],
  ['telemetry.page("Home");', false],
  [
    `telemetry.flush({ timeoutMs: undefined }); telemetry.inspector({ path: undefined });
     telemetry.gateway({ writeKey: "k", clientAddress: undefined, maxMessagesPerSecond: undefined });
     createTelemetry({ ...needed, debug: process.env.DEBUG ? console.log : undefined, sendEveryMs: undefined });`,
    true,
  ],
  ["createTelemetry({ ...needed, sendEveryMS: 1 });", false],
  [
    `const { reason, sources, lastFault } = telemetry.status();
     if (reason !== undefined) console.log(SENTENCES[reason]);
     for (const { allow, reason } of Object.values(sources)) console.log(allow, SENTENCES[reason]);
     if (lastFault !== undefined) console.log(explainFault(lastFault));
     export type Named = [Answer, ClientAddress, CountsReport, DenyReason, GatewayReport, Source];`,
    true,
  ],
])("%s compiles: %s", (line, isRight) => {
  writeFileSync(join(dir, "call.ts"), HEAD + line);
  const options = ["--strict", "--module", "nodenext", "--target", "es2022", "--exactOptionalPropertyTypes"];
  const { status, stdout } = spawnSync(
    join(ROOT, "node_modules/.bin/tsc"),
    ["--noEmit", ...options, "--allowImportingTsExtensions", "--types", "node", "call.ts"],
    { cwd: dir, encoding: "utf8" },
  );
  if (isRight) expect(stdout).toBe("");
  else expect(stdout).toMatch(/^call\.ts\(7,\d+\): error TS/);
  expect(status === 0).toBe(isRight);
});
