// @candor/node loads and has types in both CommonJS and ES modules:
// docs/decisions/0021-two-module-systems.md.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { createPackedProduct, ROOT } from "./rig/packed-product.ts";
import { type Recorder, startRecorder } from "./rig/recorder.ts";

const require = createRequire(import.meta.url);
const JEST = require.resolve("jest/bin/jest");
/** Node 22.0 to 22.11 cannot `require()` an ES module; with this flag, no version can. */
const NO_REQUIRE_OF_ES_MODULES = "--no-experimental-require-module";

const product = createPackedProduct();
const entries = Object.keys(
  JSON.parse(readFileSync(join(product.installed, "package.json"), "utf8")).exports,
).map((path) => path.replace(/^\./, "@candor/node"));
let recorder: Recorder;

beforeAll(async () => {
  recorder = await startRecorder();
  return () => recorder.close();
});

/** Statements that send an event with `elapsed` as its number, and set `sent` to the result of `flush()`. */
function send(elapsed: number): string {
  return `
    const telemetry = createTelemetry({
      plan, source: "server", writeKey: "k", host: ${JSON.stringify(recorder.url)}, stateDir: "telemetry-${elapsed}",
    });
    telemetry.track("execute_ACTION_TRIGGERED", { timeElapsed: ${elapsed} });
    const sent = await telemetry.flush();`;
}

function keptOf(elapsed: number): readonly unknown[] {
  return recorder.kept.filter(({ properties }) => JSON.stringify(properties).includes(`:${elapsed}`));
}

it("delivers from a product in CommonJS, on a Node that cannot require() an ES module", async () => {
  const file = product.write(
    "product.cjs",
    `const { createTelemetry } = require("@candor/node");
     const { plan } = require("./plan.cjs");
     (async () => {${send(1001)} process.exitCode = sent ? 0 : 1; })();`,
  );
  expect(await product.run(NO_REQUIRE_OF_ES_MODULES, file)).toEqual({ status: 0, output: "" });
  expect(keptOf(1001)).toHaveLength(1);
});

it("exports the same from both module systems, at each entry", async () => {
  expect(entries).toContain("@candor/node");
  for (const entry of entries) {
    const file = product.write(
      "entry.mjs",
      `import { createRequire } from "node:module";
       import * as imported from "${entry}";
       const required = createRequire(import.meta.url)("${entry}");
       console.log(Object.keys(required).sort().join() === Object.keys(imported).sort().join());`,
    );
    expect(await product.run(NO_REQUIRE_OF_ES_MODULES, file)).toEqual({ status: 0, output: "true\n" });
  }
});

it("is one instance in a process that loads it from both, and sends each message once", async () => {
  const file = product.write(
    "both.mjs",
    `import { createRequire } from "node:module";
     import { createTelemetry } from "@candor/node";
     import { plan } from "./plan.mjs";
     const required = createRequire(import.meta.url)("@candor/node").createTelemetry;
     const options = { plan, source: "server", writeKey: "k", host: ${JSON.stringify(recorder.url)}, stateDir: "both" };
     const telemetries = [createTelemetry(options), required(options)];
     telemetries.forEach((telemetry, index) => telemetry.track("execute_ACTION_TRIGGERED", { timeElapsed: 2001 + index }));
     const ids = new Set(telemetries.map((telemetry) => telemetry.status().instanceId));
     for (const telemetry of telemetries) await telemetry.close();
     console.log(createTelemetry === required, ids.size);`,
  );
  expect(await product.run(file)).toEqual({ status: 0, output: "false 1\n" });
  expect([keptOf(2001).length, keptOf(2002).length]).toEqual([1, 1]);
});

it("delivers from a product's test in Jest, without any configuration", async () => {
  product.write(
    "product.test.js",
    `const { createTelemetry } = require("@candor/node");
     const { plan } = require("./plan.cjs");
     test("sends, while timers stand still", async () => {
       jest.useFakeTimers();${send(1002)}
       expect({ sent, ...telemetry.status() }).toMatchObject({ sent: true, state: "on", problems: [] });
       await telemetry.close();
     });`,
  );
  const folders = ["--rootDir", product.dir, "--cacheDirectory", join(product.dir, "jest-cache")];
  const { status, output } = await product.run(JEST, "--ci", "--watchman=false", ...folders);
  expect({ status, output: status === 0 ? "" : output }).toEqual({ status: 0, output: "" });
  expect(keptOf(1002)).toHaveLength(1);
});

it.each([
  ["call.cts", ["node16"]],
  ["call.mts", ["node16"]],
  ["call.cts", ["commonjs", "--moduleResolution", "bundler"]],
  ["call.mts", ["esnext", "--moduleResolution", "bundler"]],
])("checks the types of calls in %s with --module %j", (name, module) => {
  const file = product.write(
    name,
    `import { createTelemetry } from "@candor/node";
     import { plan } from "./plan.js";
     const telemetry = createTelemetry({ plan, source: "server", writeKey: "k", host: "https://c.example", stateDir: "t" });
     telemetry.track("execute_ACTION_TRIGGERED", { pluginName: "PostgreSQL" });
     // @ts-expect-error
     telemetry.track("execute_ACTION_TRIGGERED", { pluginName: 1 });
     telemetry.keepAlive({ healthy: () => true, facts: () => ({ version: "1.9.2" }) });
     // @ts-expect-error
     telemetry.keepAlive({ healthy: () => true, facts: () => ({ version: 1 }) });
     // @ts-expect-error
     telemetry.keepAlive({ healthy: () => true, facts: () => ({ planet: "Mars" }) });`,
  );
  const options = ["--noEmit", "--strict", "--target", "es2022", "--module", ...module];
  const types = ["--types", "node", "--typeRoots", join(ROOT, "node_modules/@types")];
  const { status, stdout } = spawnSync(join(ROOT, "node_modules/.bin/tsc"), [...options, ...types, file], {
    cwd: product.dir,
    encoding: "utf8",
  });
  expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
});
