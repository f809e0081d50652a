// A product bundled with the packed SDK delivers events just like a product that installs the SDK.
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import * as esbuild from "esbuild";
import { type Plugin, rollup } from "rollup";
import { afterAll, beforeAll, expect, it } from "vitest";
import webpack from "webpack";
import { makeRigFolder } from "./rig/child.ts";
import { type RigCollector, startCollector } from "./rig/collector.ts";
import { createPackedProduct } from "./rig/packed-product.ts";

const require = createRequire(import.meta.url);
// Loaded with `require()`, because these plugins' types always declare a CommonJS module.
const commonJs: () => Plugin = require("@rollup/plugin-commonjs");
const nodeResolve: (options: object) => Plugin = require("@rollup/plugin-node-resolve");

const product = createPackedProduct();
let collector: RigCollector;
/** The number of events that the collector must have stored. */
let delivered = 0;

beforeAll(async () => {
  collector = await startCollector(process.env.PATH ?? "");
});
afterAll(() => collector.stop());

/** Bundles one of the product's files for Node, with as few options as the bundler needs. */
type Bundle = (entry: string, outFile: string) => Promise<unknown>;

const bundleByEsbuild: Bundle = (entry, outFile) =>
  esbuild.build({
    entryPoints: [entry],
    outfile: outFile,
    bundle: true,
    minify: true,
    platform: "node",
    format: outFile.endsWith(".mjs") ? "esm" : "cjs",
  });

const bundleByWebpack: Bundle = (entry, outFile) => {
  const output = { path: dirname(outFile), filename: basename(outFile) };
  const optimization = { minimize: false }; // Minifying takes ten times as long; the esbuild cases cover it.
  return new Promise((resolve, reject) => {
    webpack({ entry, output, optimization, target: "node", mode: "production" }, (error, stats) => {
      if (error !== null || stats?.hasErrors() !== false) reject(error ?? new Error(stats?.toString()));
      else resolve(stats);
    });
  });
};

const bundleByRollup: Bundle = async (entry, outFile) => {
  // Only a product that is itself CommonJS needs the CommonJS plugin.
  const plugins = [nodeResolve({ preferBuiltins: true }), ...(entry.endsWith(".cjs") ? [commonJs()] : [])];
  const bundle = await rollup({ input: entry, plugins });
  await bundle.write({ file: outFile, format: outFile.endsWith(".mjs") ? "es" : "cjs" });
  await bundle.close();
};

const LOADS = {
  "product.mjs": `import { createTelemetry } from "@candor/node"; import { plan } from "./plan.mjs";`,
  "product.cjs": `const { createTelemetry } = require("@candor/node"); const { plan } = require("./plan.cjs");`,
};

it.each([
  { number: 1, by: "esbuild", bundle: bundleByEsbuild, from: "product.mjs", to: "bundle.mjs" },
  { number: 2, by: "esbuild", bundle: bundleByEsbuild, from: "product.cjs", to: "bundle.cjs" },
  { number: 3, by: "webpack", bundle: bundleByWebpack, from: "product.mjs", to: "bundle.cjs" },
  { number: 4, by: "webpack", bundle: bundleByWebpack, from: "product.cjs", to: "bundle.cjs" },
  { number: 5, by: "rollup", bundle: bundleByRollup, from: "product.mjs", to: "bundle.mjs" },
  { number: 6, by: "rollup", bundle: bundleByRollup, from: "product.cjs", to: "bundle.cjs" },
] as const)("$from delivers as $to of $by, without the package", async ({ number, bundle, from, to }) => {
  const entry = product.write(
    from,
    `${LOADS[from]}
     const telemetry = createTelemetry({
       plan, source: "server", writeKey: "server_key", host: ${JSON.stringify(collector.url)}, stateDir: "telemetry-${number}",
     });
     telemetry.track("execute_ACTION_TRIGGERED", { timeElapsed: ${number} });
     telemetry.flush().then((sent) => { process.exitCode = sent ? 0 : 1; });`,
  );
  const outFile = join(makeRigFolder(), to);
  await bundle(entry, outFile);
  expect(await product.run(outFile)).toEqual({ status: 0, output: "" });
  delivered += 1;
  const stored = await collector.readStored(delivered);
  expect(stored.filter(({ properties }) => properties.timeElapsed === number)).toHaveLength(1);
});
