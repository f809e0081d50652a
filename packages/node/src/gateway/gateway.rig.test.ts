import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hashPlan, loadPlan } from "@candor/plan";
import { afterAll, expect, it } from "vitest";
import { REFERENCE_PLAN } from "../../../plan/src/rig/reference-plan.ts";
import { type CandorProcess, startProcess } from "../../../server/src/rig/candor-process.ts";
import { openForTest } from "../rig/in-process.ts";

const KEYS = { installer: "rig_installer", server: "rig_server", client: "rig_client" };
const TOKEN = "rig-admin-token-0123456789abcdef";
const BROWSER = "0b62ab60-02ad-4f69-a181-d9c5eb2f97fa";
const ON = { APPSMITH_DISABLE_TELEMETRY: "false", APPSMITH_CLIENT_TELEMETRY: "yes" };
const USER_AGENT =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

const PLAN = fileURLToPath(new URL("../../../../plans/appsmith.yaml", import.meta.url));

const dataDir = mkdtempSync(join(tmpdir(), "candor-gateway-"));
let collector: CandorProcess | undefined;

afterAll(async () => {
  await collector?.kill();
  rmSync(dataDir, { recursive: true, force: true });
});

interface Found {
  readonly events: readonly { readonly [key: string]: unknown }[];
}

/** Writes the reference plan, but without the instance's id in RUN_QUERY_CLICK. @returns the file's path */
function writePlan(): string {
  const text = readFileSync(PLAN, "utf8").replace(
    /(name: RUN_QUERY_CLICK[\s\S]*?) +instanceId: \*clientInstance\n/,
    "$1",
  );
  const file = join(dataDir, "plan.yaml");
  writeFileSync(file, text);
  return file;
}

async function readEvents(url: string, messageId: string): Promise<Found> {
  const response = await fetch(`${url}/api/events?messageId=${messageId}`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  return (await response.json()) as Found;
}

it("delivers a browser's message to a collector once, as the client's, without anything that identifies a person", async () => {
  const planFile = writePlan();
  const writeKeys = Object.entries(KEYS).map((pair) => pair.join(":"));
  collector = await startProcess({
    CANDOR_DATA_DIR: dataDir,
    CANDOR_WRITE_KEYS: writeKeys.join(","),
    CANDOR_ADMIN_TOKEN: TOKEN,
    CANDOR_PLAN: planFile,
  });
  const { url } = collector;
  const loaded = loadPlan(readFileSync(planFile, "utf8"), planFile);
  const plan = { hash: hashPlan(loaded), content: JSON.parse(JSON.stringify(loaded)) };
  const { telemetry } = openForTest({
    plan,
    environment: ON,
    host: url,
    writeKey: KEYS.server,
    common: { version: "1.9.2" },
  });
  const gateway = telemetry.gateway({ writeKey: KEYS.client, clientAddress: () => "203.0.113.77" });
  const product = createServer((request, response) => gateway(request, response));
  await new Promise<void>((resolve) => product.listen(0, "127.0.0.1", resolve));
  const mount = `http://127.0.0.1:${(product.address() as AddressInfo).port}/telemetry`;
  const messageId = `ajs-next-1763899200000-${BROWSER}`;
  const click = {
    type: "track",
    event: "RUN_QUERY_CLICK",
    messageId,
    anonymousId: BROWSER,
    userId: "ada@example.org",
    properties: { pluginType: "DB", query: "SELECT 1" },
    timestamp: "2020-01-01T00:00:00.000Z",
  };
  const body = JSON.stringify({
    batch: [click],
    sentAt: "2020-01-01T00:01:00.000Z",
    writeKey: "anything",
    context: { library: { name: "analytics.js", version: "4.0.4" }, locale: "de" },
  });
  const sentAtMs = Date.now();
  for (const attempt of [1, 2]) {
    const reply = await fetch(`${mount}/v1/b`, {
      method: "POST",
      headers: { "content-type": "text/plain", "user-agent": USER_AGENT, "sec-fetch-site": "same-origin" },
      body,
    });
    expect({ attempt, told: await reply.json() }).toEqual({
      attempt,
      told: { success: true, accepted: 1, dropped: [] },
    });
  }
  const loginId = `ajs-next-1763899200001-${BROWSER}`;
  const login = {
    ...click,
    event: "LOGIN_PAGE_LOAD",
    messageId: loginId,
    properties: { instanceId: BROWSER },
  };
  await fetch(`${mount}/v1/t`, { method: "POST", body: JSON.stringify(login) });
  const { instanceId } = telemetry.status();
  product.close();
  expect(await telemetry.flush()).toBe(true);

  await expect
    .poll(async () => (await readEvents(url, messageId)).events.length, { timeout: 60_000 })
    .toBe(1);
  const [event] = (await readEvents(url, messageId)).events;
  expect(event).toMatchObject({
    type: "track",
    event: "RUN_QUERY_CLICK",
    messageId,
    anonymousId: BROWSER,
    userId: expect.stringMatching(/^[0-9a-f]{32}$/), // the collector's hash of the instance's hash
    properties: { pluginType: "DB", version: "1.9.2" }, // the server's common property
    context: {
      ip: "203.0.113.0",
      library: { name: "analytics.js", version: "4.0.4" },
      locale: "de",
    },
    candor: { source: "client", planVersion: REFERENCE_PLAN.version },
  });
  expect(JSON.stringify(event)).not.toMatch(/ada@|example\.org|SELECT|113\.77|140\.0\.0\.0/);
  // The event's time is a minute before it was sent, by this machine's clock.
  const ageMs = sentAtMs - Date.parse(String(event?.timestamp));
  expect(Math.round(ageMs / 10_000)).toBe(6);

  // Deleting the instance's data deletes the browsers' events that carry its id, and no other.
  await expect
    .poll(async () => (await readEvents(url, loginId)).events, { timeout: 60_000 })
    .toMatchObject([{ properties: { instanceId } }]);
  const forgotten = await fetch(`${url}/api/forget`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ instance: instanceId }),
  });
  expect(forgotten.status).toBe(200);
  expect([
    (await readEvents(url, loginId)).events.length,
    (await readEvents(url, messageId)).events.length,
  ]).toEqual([0, 1]);
});
