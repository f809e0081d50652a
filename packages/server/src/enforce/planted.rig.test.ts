import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadPlan, PLAN_SOURCES, type Plan, type PlanSourceName } from "@candor/plan";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bytesBelow } from "../rig/bytes-below.ts";
import { type CandorProcess, startProcess } from "../rig/candor-process.ts";
import { APPSMITH_PLAN, answerOf, basic, eventually, NO_STORE, WRITE_KEYS } from "../rig/in-process.ts";
import { plantedMessages } from "../rig/planted-messages.ts";
import { plantedRequests, sendRaw } from "../rig/planted-requests.ts";
import { createSecrets, findSecrets } from "../rig/planted-secrets.ts";
import { openStore } from "../store/client.ts";

/**
 * Declared values that the searches below must find. If a search misses them, the search itself does not
 * work.
 */
const DECLARED = "DeclaredNameOfAnApp";
const CONTACT = "declared.person@people.example";
const BATCH = 400;

const dataDir = mkdtempSync(join(tmpdir(), "candor-planted-"));
const secrets = createSecrets();
const plan: Plan = loadPlan(readFileSync(APPSMITH_PLAN, "utf8"), "appsmith.yaml");
const adminToken = "token-a";
const env = {
  PATH: process.env.PATH ?? "",
  CANDOR_DATA_DIR: dataDir,
  CANDOR_PLAN: APPSMITH_PLAN,
  CANDOR_TRUSTED_PROXIES: "127.0.0.1",
  CANDOR_ADMIN_TOKEN: adminToken,
  CANDOR_WRITE_KEYS: Object.entries(WRITE_KEYS)
    .map((pair) => pair.join(":"))
    .join(","),
};
let collector: CandorProcess | undefined;

afterAll(async () => {
  if (collector?.isRunning()) await collector.kill();
  rmSync(dataDir, { recursive: true, force: true });
});

/** The output that the phases of the test collect and that is searched at the end. */
const seen = { waiting: "", firstOutput: "", output: "", answers: "", metrics: "", pages: "", onDisk: "" };
const tables = new Map<string, string>();
const totals = { accepted: 0, dropped: 0 };
/** Methods and answers of the requests that were answered with 500. */
const failed = new Set<string>();

async function sendBatch(
  { url }: CandorProcess,
  source: PlanSourceName,
  batch: readonly object[],
): Promise<void> {
  const response = await fetch(`${url}/v1/batch`, {
    method: "POST",
    headers: { authorization: basic(WRITE_KEYS[source]) },
    body: JSON.stringify({ batch }),
  });
  const { accepted = 0, dropped = [] } = await answerOf(response);
  totals.accepted += accepted;
  totals.dropped += dropped.length;
}

const executed = {
  type: "track",
  event: "execute_ACTION_TRIGGERED",
  anonymousId: "6f0d2f6c-3c1e-4f6e-9a55-2f1c7b1f0a3d",
  properties: { instanceId: "612460418944011a10fa5b", appName: DECLARED },
};

async function sendEverything(to: CandorProcess): Promise<void> {
  for (const source of PLAN_SOURCES) {
    const messages = plantedMessages(plan, source, secrets);
    for (let at = 0; at < messages.length; at += BATCH)
      await sendBatch(to, source, messages.slice(at, at + BATCH));
    for (const [n, message] of messages.entries()) {
      if (n % 40 !== 0) continue; // a few are also sent one by one, to /v1/track
      await sendRaw(to.url, {
        method: "POST",
        path: "/v1/track",
        headers: { authorization: basic(WRITE_KEYS[source]) },
        body: JSON.stringify(message),
      });
    }
  }
  const support = { type: "track", event: "Installation Support", anonymousId: "anonymoustId" };
  const properties = { email: CONTACT, os: "ubuntu", error: "port_taken" };
  await sendBatch(to, "installer", [{ ...support, properties }]);
  await sendBatch(to, "server", [executed]);
  const requests = PLAN_SOURCES.flatMap((source) =>
    plantedRequests(
      source === "server" ? executed : { ...support, properties: {} },
      WRITE_KEYS[source],
      adminToken,
      secrets,
    ),
  );
  for (let at = 0; at < requests.length; at += 16) {
    const some = requests.slice(at, at + 16);
    const answers = await Promise.all(some.map((one) => sendRaw(to.url, one)));
    for (const [n, { status, text }] of answers.entries())
      if (status === 500) failed.add(`${some[n]?.method} ${text}`);
    seen.answers += answers.map(({ text }, n) => (some[n]?.isEcho ? "" : text)).join("\n");
  }
}

async function read({ url }: CandorProcess, path: string): Promise<string> {
  const response = await fetch(url + path, { headers: { authorization: `Bearer ${adminToken}` } });
  return response.text();
}

/** Dumps every table of the engine that could hold a row or a query. */
async function dumpTables(): Promise<void> {
  const store = openStore({ socketPath: join(dataDir, "store", "engine.sock") });
  const found = await store.query(
    `SELECT database, name FROM system.tables WHERE database NOT ILIKE 'information_schema'
     AND (database != 'system' OR name LIKE '%log%' OR name IN
       ('errors', 'warnings', 'mutations', 'parts', 'parts_columns', 'processes', 'query_cache', 'tables', 'columns'))`,
  );
  for (const { database, name } of found) {
    const from = `\`${String(database)}\`.\`${String(name)}\``;
    const rows = await store.query(
      `SELECT * FROM ${from} SETTINGS asterisk_include_materialized_columns = 1`,
    );
    tables.set(`${String(database)}.${String(name)}`, rows.map((row) => JSON.stringify(row)).join("\n"));
  }
  await store.close();
}

beforeAll(async () => {
  collector = await startProcess({ ...env, ...NO_STORE });
  await sendEverything(collector);
  await collector.kill();
  seen.firstOutput = collector.output();
  seen.waiting = bytesBelow(dataDir);
  collector = await startProcess(env);
  await sendEverything(collector);
  const running = collector;
  await eventually(
    () => read(running, "/metrics"),
    (text) => /^candor_log_pending_rows 0$/m.test(text) && /^candor_store_up 1$/m.test(text),
  );
  const pages = ["/api/reports/plan", "/privacy", "/privacy.json", "/api/openapi.json", "/readyz"];
  seen.pages = (await Promise.all(pages.map((path) => read(running, path)))).join("\n");
  seen.metrics = await read(running, "/metrics");
  await dumpTables();
  await collector.stop();
  seen.output = collector.output();
  seen.onDisk = bytesBelow(dataDir);
}, 110_000);

/** Whether a text contains the contact's address in one of its encodings. */
function holdsContact(text: string): boolean {
  const forms = [CONTACT, encodeURIComponent(CONTACT), Buffer.from(CONTACT).toString("base64").slice(0, 36)];
  return forms.some((form) => text.includes(form)) || text.includes("declared.person");
}

const allTables = (): string => [...tables].map(([name, rows]) => `${name}\n${rows}`).join("\n");

describe("secrets planted in every undeclared place, under the Appsmith plan", () => {
  it("were sent: some messages were kept and some dropped, and the same searches find declared values", () => {
    expect(totals.accepted).toBeGreaterThan(4000);
    expect(totals.dropped).toBeGreaterThan(100);
    expect(seen.waiting).toContain(DECLARED);
    expect(tables.get("candor.events")).toContain(DECLARED);
    expect(tables.get("candor.events")?.split("\n").length).toBeGreaterThanOrEqual(totals.accepted);
    expect(seen.pages).toContain("not_in_enum");
    expect(seen.metrics).toContain('reason="event_not_in_plan"');
    expect(seen.output).toContain("Stopping");
    expect([...secrets.bareHashes.values()]).toContain(
      "execute_ACTION_TRIGGERED: hash in properties.username",
    );
    expect([...secrets.bareHashes.values()]).toContain("execute_ACTION_TRIGGERED: hash in userId");
    const samples = [...secrets.allFor("sample"), secrets.bareHash("sample")];
    for (const secret of samples) {
      for (const text of [
        secret,
        encodeURIComponent(secret),
        ...(secrets.bareHashes.has(secret) ? [] : [`x${Buffer.from(`ab${secret}`).toString("base64")}`]),
      ])
        expect(findSecrets(text, secrets), text).not.toEqual([]);
    }
  });

  it.each([
    ["the log after a kill -9, before anything was drained", () => seen.waiting],
    ["any byte of the data folder after the drain and the stop", () => seen.onDisk],
    ["any row of any table of the store", allTables],
    ["the process's output while its store is away", () => seen.firstOutput],
    ["the process's output", () => seen.output],
    ["the metrics", () => seen.metrics],
    ["the plan's report and the public pages", () => seen.pages],
    ["the answers to malformed requests", () => seen.answers],
  ])("are not in %s", (_where, textOf) => {
    expect(textOf().length).toBeGreaterThan(20);
    expect(findSecrets(textOf(), secrets)).toEqual([]);
  });

  it("are never answered with 500, and never reported to the operator", () => {
    expect([...failed]).toEqual([]);
    expect(seen.output).not.toContain("A request failed");
  });

  it("do not change the declared contact in its own table", () => {
    const places = [...tables].filter(([, rows]) => holdsContact(rows)).map(([name]) => name);
    expect(places).toEqual(["candor.contacts"]);
    expect(
      tables
        .get("candor.contacts")
        ?.split("\n")
        .map((row) => JSON.parse(row).contact),
    ).toEqual([CONTACT, CONTACT]);
    const { output, firstOutput, metrics, pages, answers } = seen;
    expect([output, firstOutput, metrics, pages, answers].map(holdsContact)).toEqual(Array(5).fill(false));
  });
});

describe("a secret that is used as an id", () => {
  let running: CandorProcess;
  const idSecrets = createSecrets();
  const dir = mkdtempSync(join(tmpdir(), "candor-planted-id-"));

  beforeAll(async () => {
    running = await startProcess({ ...env, CANDOR_DATA_DIR: dir });
  }, 60_000);
  afterAll(async () => {
    await running.kill();
    rmSync(dir, { recursive: true });
  });

  it("is not kept as a messageId, even after a prefix", async () => {
    const messages = idSecrets
      .allFor("messageId")
      .map((secret) => ({ ...executed, messageId: `msg-${secret}` }));
    await sendBatch(running, "server", messages);
    const page = await eventually(
      () => read(running, "/api/events?limit=100"),
      (text) => text.split('"messageId"').length > messages.length,
    );
    expect(page).toContain(DECLARED);
    expect(findSecrets(page, idSecrets)).toEqual([]);
  });
});
