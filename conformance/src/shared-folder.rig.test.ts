// @module-tag posix-tools
// @module-tag curl
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateJavaScript, generateShell, loadPlan } from "@candor/plan";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type CandorProcess, startProcess } from "../../packages/server/src/rig/candor-process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PLAN_FILE = join(ROOT, "plans/appsmith.yaml");
const KEYS = { installer: "installer_key", server: "server_key", client: "client_key" };
const TOKEN = "token-of-this-test";
const dir = mkdtempSync(join(tmpdir(), "candor-shared-"));
const stateDir = join(dir, "telemetry");
let candor: CandorProcess;

beforeAll(async () => {
  const plan = loadPlan(readFileSync(PLAN_FILE, "utf8"), PLAN_FILE);
  writeFileSync(join(dir, "table.sh"), generateShell(plan));
  writeFileSync(join(dir, "plan.mjs"), generateJavaScript(plan));
  candor = await startProcess({
    CANDOR_DATA_DIR: join(dir, "data"),
    CANDOR_ADMIN_TOKEN: TOKEN,
    CANDOR_WRITE_KEYS: Object.entries(KEYS)
      .map(([source, key]) => `${source}:${key}`)
      .join(","),
  });
});

afterAll(async () => {
  await candor?.kill();
  rmSync(dir, { recursive: true, force: true });
});

/** Runs an install during which the collector cannot be reached. */
function install(): void {
  const script = `set -eu
TELEMETRY_URL=http://127.0.0.1:9 TELEMETRY_WRITE_KEY=${KEYS.installer} TELEMETRY_STATE_DIR='${stateDir}'
. '${dir}/table.sh'
. '${ROOT}/packages/installer/candor.sh'
telemetry_install_trap
telemetry_notice
telemetry_track 'Installation Started'
telemetry_success
`;
  execFileSync("sh", ["-c", script], { env: { PATH: process.env.PATH }, stdio: "ignore" });
}

/** Runs the server as in a container that mounts the folder. Nothing in its environment allows it to send. */
async function runServer(): Promise<unknown> {
  const program = `
    import { createTelemetry } from ${JSON.stringify(new URL("packages/node/dist/index.js", `file://${ROOT}`).href)};
    import { plan } from ${JSON.stringify(`file://${dir}/plan.mjs`)};
    const telemetry = createTelemetry({ plan, source: "server", writeKey: ${JSON.stringify(KEYS.server)},
      host: ${JSON.stringify(candor.url)}, stateDir: ${JSON.stringify(stateDir)} });
    telemetry.track("execute_ACTION_TRIGGERED", { pluginName: "PostgreSQL" });
    process.exitCode = (await telemetry.flush()) ? 0 : 1;`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    env: {},
    stdio: "inherit",
  });
  const [status] = await once(child, "close");
  return status;
}

async function readEvents(): Promise<readonly Record<string, unknown>[]> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const answer = (await (await fetch(`${candor.url}/api/events`, { headers })).json()) as {
    readonly events: readonly Record<string, unknown>[];
  };
  return answer.events;
}

it("an install's events that found no collector are sent by the server, under the notice that the install showed", async () => {
  install();
  expect(await runServer()).toBe(0);
  await expect.poll(async () => (await readEvents()).length, { timeout: 20_000 }).toBe(3);
  const events = await readEvents();
  const seen = events.map(({ event, candor: about }) => [
    event,
    (about as { readonly source: string }).source,
  ]);
  expect(seen.toSorted()).toEqual([
    ["Installation Started", "installer"],
    ["Installation Success", "installer"],
    ["execute_ACTION_TRIGGERED", "server"],
  ]);
  expect(JSON.stringify(events)).not.toContain("installer_key");
});
