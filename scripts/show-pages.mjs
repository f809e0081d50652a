// Runs what people see: a collector with its public page, and a product with the operator's page, whose messages the collector
// has received. Everything is real, in temporary folders.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { createTelemetry } from "../packages/node/dist/index.js";
import { hashPlan, loadPlan } from "../packages/plan/dist/index.js";
import { startProcess } from "../packages/server/dist/rig/candor-process.js";
import { root } from "./prepare.mjs";
import { findProgram } from "./programs.mjs";

const PLAN_FILE = join(root, "plans/appsmith.yaml");
const EVENT = "execute_ACTION_TRIGGERED";

/** @returns the addresses of both pages, and `close` */
export async function showPages() {
  const folder = mkdtempSync(join(tmpdir(), "candor-pages-"));
  const collector = await startProcess({
    CANDOR_DATA_DIR: join(folder, "data"),
    CANDOR_WRITE_KEYS: "installer:key-installer,server:key-server,client:key-client",
    CANDOR_PLAN: PLAN_FILE,
    HOME: folder,
  });
  const telemetry = await startProduct(collector.url, join(folder, "state"));
  const inspector = telemetry.inspector();
  const server = createServer((request, response) => inspector(request, response));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    privacy: `${collector.url}/privacy`,
    inspector: `http://127.0.0.1:${server.address().port}/`,
    async close() {
      server.closeAllConnections();
      server.close();
      await telemetry.close();
      await collector.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A product that has sent some messages, while one waits. */
async function startProduct(host, stateDir) {
  // Nothing of the machine that makes the pictures may decide what they show.
  for (const name of ["CI", "DO_NOT_TRACK"]) delete process.env[name];
  process.env.APPSMITH_DISABLE_TELEMETRY = "false";
  const plan = loadPlan(readFileSync(PLAN_FILE, "utf8"), PLAN_FILE);
  const generated = { hash: hashPlan(plan), content: JSON.parse(JSON.stringify(plan)) };
  const telemetry = createTelemetry({
    plan: generated,
    source: "server",
    writeKey: "key-server",
    host,
    stateDir,
  });
  telemetry.keepAlive({ everyHours: 6, healthy: () => true });
  const event = plan.events.find(({ name }) => name === EVENT);
  const examples = Object.entries(event.fields).map(([name, { example }]) => [name, example]);
  const track = (properties) =>
    telemetry.track(EVENT, { ...Object.fromEntries(examples), ...properties }, { userId: "ada" });
  for (const statusCode of ["200", "404", "200"])
    track({ statusCode, isSuccessfulExecution: statusCode === "200" });
  await telemetry.flush({ timeoutMs: 10_000 });
  track({ pluginName: "REST API" });
  return telemetry;
}

/** Opens a browser of the system: `chromium` on the PATH. */
export function openBrowser() {
  const executablePath = findProgram("chromium");
  if (executablePath === undefined)
    throw new Error("There is no `chromium` on the PATH. Install it with the system's packages.");
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}
