import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createPackedProduct, ROOT } from "./rig/packed-product.ts";
import { startRecorder } from "./rig/recorder.ts";

const product = createPackedProduct();

it("is one folder that needs nothing but Node", () => {
  const about = JSON.parse(readFileSync(join(product.installed, "package.json"), "utf8"));
  expect(about).toMatchObject({ name: "@candor/node" });
  expect(about.dependencies).toBeUndefined();
  const imports = readdirSync(product.installed, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(js|mjs|d\.ts|d\.mts)$/.test(name))
    .flatMap((name) => [
      ...readFileSync(join(product.installed, name), "utf8").matchAll(
        /(?:^(?:import|export)\b[^"]*?from |^[^*\n]*\brequire\()"([^"]+)"/gm,
      ),
    ])
    .map(([, specifier = ""]) => specifier)
    .filter((specifier) => !specifier.startsWith("."));
  const foreign = imports.filter((name) => !builtinModules.includes(name.replace(/^node:/, "")));
  expect(foreign).toEqual([]);
  expect(imports.filter((name) => name === "node:http").length).toBeGreaterThan(1);
});

it("delivers from that folder, with a plan that was generated as a module", async () => {
  const recorder = await startRecorder();
  const file = product.write(
    "run.mjs",
    `import { createTelemetry } from "@candor/node";
     import { plan } from "./plan.mjs";
     const telemetry = createTelemetry({ plan, source: "server", writeKey: "k", host: ${JSON.stringify(recorder.url)}, stateDir: "telemetry" });
     telemetry.track("execute_ACTION_TRIGGERED", { pluginName: "PostgreSQL" });
     process.exitCode = (await telemetry.flush()) ? 0 : 1;`,
  );
  expect(await product.run(file)).toEqual({ status: 0, output: "" });
  expect(recorder.kept).toMatchObject([{ event: "execute_ACTION_TRIGGERED" }]);
  await recorder.close();
});

it("keeps test helpers out of the main entry", async () => {
  const file = product.write(
    "silent.mjs",
    `import { writeFileSync } from "node:fs";
     import * as main from "@candor/node";
     import { assertSilent, SilenceError } from "@candor/node/testing";
     const error = await assertSilent(() => writeFileSync("made", ""), { settleMs: 1 }).catch((thrown) => thrown);
     console.log(error instanceof SilenceError, "assertSilent" in main);`,
  );
  expect(await product.run(file)).toEqual({ status: 0, output: "true false\n" });
  const loaded = new Set<string>();
  const load = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const [, path = ""] of readFileSync(file, "utf8").matchAll(/(?:from |import\()"(\.[^"]+)"/g)) {
      load(join(file, "..", path));
    }
  };
  load(join(product.installed, "dist", "index.js"));
  expect([...loaded].filter((file) => file.includes("/silence/"))).toEqual([]);
  expect(loaded.size).toBeGreaterThan(20);
});

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
  const file = product.write("call.mts", HEAD + line);
  const options = ["--strict", "--module", "nodenext", "--target", "es2022", "--exactOptionalPropertyTypes"];
  const types = ["--types", "node", "--typeRoots", join(ROOT, "node_modules/@types")];
  const { status, stdout } = spawnSync(
    join(ROOT, "node_modules/.bin/tsc"),
    ["--noEmit", ...options, ...types, "--allowImportingTsExtensions", file],
    { cwd: product.dir, encoding: "utf8" },
  );
  if (isRight) expect(stdout).toBe("");
  else expect(stdout).toMatch(/^call\.mts\(7,\d+\): error TS/);
  expect(status === 0).toBe(isRight);
});
