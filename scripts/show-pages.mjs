// Runs the pages that people see: a collector's public page, a product's page for its operator, and a
// product's page that asks each person for consent. The collector has received messages from the product. All
// servers are real and run in temporary folders.
import { createHash } from "node:crypto";
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

/** Starts all servers. @returns the addresses of the three pages, and `close` */
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
  const asking = createAskingPage(join(folder, "asking"));
  const server = createServer((request, response) =>
    request.url.startsWith("/asking/") ? asking.answer(request, response) : inspector(request, response),
  );
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    privacy: `${collector.url}/privacy`,
    inspector: `http://127.0.0.1:${server.address().port}/`,
    prompt: `http://127.0.0.1:${server.address().port}/asking/page`,
    async close() {
      server.closeAllConnections();
      server.close();
      await telemetry.close();
      await asking.close();
      await collector.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A page of a product whose operator said Yes, and which also asks each person. */
function createAskingPage(stateDir) {
  const plan = loadPlan(readFileSync(PLAN_FILE, "utf8"), PLAN_FILE);
  const telemetry = createTelemetry({
    plan: { hash: hashPlan(plan), content: JSON.parse(JSON.stringify(plan)) },
    source: "server",
    writeKey: "key-server",
    host: "http://127.0.0.1:9",
    stateDir,
    environment: { APPSMITH_DISABLE_TELEMETRY: "false", APPSMITH_CLIENT_TELEMETRY: "yes" },
  });
  const gateway = telemetry.gateway({ writeKey: "key-client", asksPeople: true });
  const files = {
    "/asking/candor.iife.js": "candor.iife.js",
    "/asking/candor-consent.js": "candor-consent.js",
  };
  return {
    close: () => telemetry.close({ timeoutMs: 0 }),
    answer(request, response) {
      if (request.url.startsWith("/asking/telemetry/")) return gateway(request, response);
      const file = files[request.url];
      response.setHeader("Content-Security-Policy", `default-src 'self'; style-src 'sha256-${STYLE_HASH}'`);
      response.setHeader("Content-Type", file === undefined ? "text/html; charset=utf-8" : "text/javascript");
      response.end(
        file === undefined ? ASKING_PAGE : readFileSync(join(root, "packages/browser/dist", file)),
      );
    },
  };
}

const STYLE = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; } body { margin: 0; background: light-dark(#f4f5f7, #12161b); }
header { padding: 0.9rem 1.5rem; background: light-dark(#fff, #1b2027); font-weight: 600; } main { padding: 1.5rem; display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); }
article { padding: 1.25rem; border-radius: 10px; background: light-dark(#fff, #1b2027); }`;
const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");
const ASKING_PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Applications</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>${STYLE}</style>
<script src="candor.iife.js" data-endpoint="/asking/telemetry" defer></script><script type="module" src="candor-consent.js"></script>
<header>Applications</header><main>${["Orders", "Stock", "Returns", "Staff"].map((name) => `<article>${name}</article>`).join("")}</main>
<candor-consent></candor-consent></html>`;

/** Starts a product that has sent some messages and has one message waiting. */
async function startProduct(host, stateDir) {
  // The environment of the machine that makes the screenshots must not affect what they show.
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

/** Opens the system's browser, which is `chromium` on the PATH. */
export function openBrowser() {
  const executablePath = findProgram("chromium");
  if (executablePath === undefined)
    throw new Error("There is no `chromium` on the PATH. Install it with the system's packages.");
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}
