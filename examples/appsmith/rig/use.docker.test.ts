// @module-tag docker
// @module-tag chromium
/** Rows 2 to 5 and 7: what a running instance tells while people use it, and that nothing else is stored. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StoredEvent } from "../../../conformance/src/read-api.ts";
import { type RigBrowser, type RigTab, startBrowser } from "../../../packages/browser/src/rig/browsers.ts";
import { type Collector, startCollector } from "./collector.ts";
import { docker } from "./docker.ts";
import { buildRelease, Product, type Release } from "./product.ts";

const ACTION = "execute_ACTION_TRIGGERED";
const ACTIVE = "Instance Active";
const PERSON = { email: "ada.zqperson@corp.example", password: "zqpassword" };
const NAMES = { app: "Zqapp Ledger", datasource: "Zqsource Books", action: "Zqaction Sum" };
/** Texts that no event may hold, in any form: rows, statements, parameters, error texts, connection details. */
const PLANTED = ["zqrow", "zqstatement", "zqparameter", "zqtable", "zqpath", "zqpassword", "zqperson"];

let collector: Collector;
let release: Release;
let product: Product;
let browser: RigBrowser;

beforeAll(async () => {
  collector = await startCollector();
  release = await buildRelease(collector, "2.0.0");
  browser = await startBrowser("chromium");
  product = new Product(collector, 8091);
  const { status, output } = await product.install(release, { typed: [["[y/N]", "y\n"]] });
  if (status !== 0) throw new Error(output);
  await product.api("/users", PERSON);
});
afterAll(async () => {
  await browser?.close();
  await product?.remove();
  await collector?.stop();
});

/** Waits for so many events of a name. */
async function eventsOf(name: string, count: number): Promise<readonly StoredEvent[]> {
  await expect.poll(async () => (await collector.events(name)).length, { timeout: 20_000 }).toBe(count);
  return collector.events(name);
}

describe("Instance Active", () => {
  it("comes some minutes after the start, with the version, the facts and the install it came from", async () => {
    expect(await collector.events(ACTIVE)).toEqual([]);
    await product.pass(6);
    const [first] = await eventsOf(ACTIVE, 1);
    const [started] = await collector.events("Installation Started");
    expect(first?.properties).toEqual({
      instanceId: product.state("instance.json").instanceId,
      boot: expect.stringMatching(/^[0-9a-f]{16}$/),
      installId: started?.anonymousId,
      version: "2.0.0",
      edition: "community",
      os: "linux",
      arch: process.arch,
      runtime: "node-26",
      environment: "production",
    });
  });

  it("comes every 6 hours, under one id, over restarts and `rm -fsv`", async () => {
    const id = product.state("instance.json").instanceId;
    await product.pass(5 * 60 + 50);
    expect(await collector.events(ACTIVE)).toHaveLength(1);
    await product.pass(6 * 60 + 30);
    await eventsOf(ACTIVE, 2);
    await product.command("docker-compose restart --timeout 5 appsmith-internal-server");
    await product.untilHealthy();
    await product.pass(13 * 60);
    await eventsOf(ACTIVE, 3);
    await product.command("docker-compose rm -fsv appsmith-internal-server nginx && docker-compose up -d");
    await product.untilHealthy();
    await product.pass(20 * 60);
    const events = await eventsOf(ACTIVE, 4);
    expect(new Set(events.map(({ properties }) => properties?.instanceId))).toEqual(new Set([id]));
    expect(new Set(events.map(({ properties }) => properties?.boot)).size).toBe(3);
    expect(events.filter(({ properties }) => properties?.installId !== undefined)).toHaveLength(1);
    const times = events.map(({ originalTimestamp, timestamp }) =>
      Date.parse(originalTimestamp ?? timestamp),
    );
    for (const [index, timeMs] of times.entries())
      if (index > 0) expect(timeMs - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(6 * 3_600_000);
  });

  it("does not come while the database is down, and comes again after it", async () => {
    await product.command("docker-compose stop --timeout 5 postgres");
    await product.pass(27 * 60);
    await sleep(1000);
    expect(await collector.events(ACTIVE)).toHaveLength(4);
    await product.command("docker-compose start postgres");
    await product.untilHealthy();
    await product.pass(27 * 60 + 20);
    await eventsOf(ACTIVE, 5);
    product.advance("+0");
    await product.command("docker-compose restart --timeout 5 appsmith-internal-server");
    await product.untilHealthy();
  });
});

/** A statement, its parameters, and what the event has to say about it. */
const RUNS = [
  {
    plugin: "postgres",
    body: "SELECT pg_sleep(0.3), $1 AS zqstatement_column, 'zqrow' AS zqstatement_row",
    parameters: ["zqparameter"],
    stored: { pluginName: "PostgreSQL", type: "DB", statusCode: "", isSuccessfulExecution: true },
    leastMs: 300,
  },
  {
    plugin: "postgres",
    body: "SELECT * FROM zqtable WHERE zqstatement = $1",
    parameters: ["zqparameter"],
    stored: { pluginName: "PostgreSQL", type: "DB", statusCode: "42P01", isSuccessfulExecution: false },
    leastMs: 0,
  },
  {
    plugin: "rest",
    body: "/zqpath?zqstatement=$1",
    parameters: ["zqparameter"],
    stored: { pluginName: "REST API", type: "API", statusCode: "200", isSuccessfulExecution: true },
    leastMs: 0,
  },
  {
    plugin: "rest",
    body: "/api/v1/zqpath?zqstatement=$1",
    parameters: ["zqparameter"],
    stored: { pluginName: "REST API", type: "API", statusCode: "401", isSuccessfulExecution: false },
    leastMs: 0,
  },
] as const;

it("each action that runs is told of truly, with the person as a keyed hash", async () => {
  const database = /^APPSMITH_DB_URL=(.*)$/m.exec(product.file("docker.env"))?.[1] ?? "";
  const elapsedMs: number[] = [];
  await product.api("/login", PERSON);
  for (const { plugin, body, parameters } of RUNS) {
    const url = plugin === "rest" ? "http://nginx" : `${database}?application_name=zqstatement`;
    const id = await product.addAction({ plugin, url, body, names: NAMES });
    elapsedMs.push((await product.execute(id, ...parameters)).elapsedMs);
  }
  const events = await eventsOf(ACTION, RUNS.length);
  for (const [index, { stored, leastMs }] of RUNS.entries()) {
    const properties = events[index]?.properties;
    expect(properties).toEqual({
      ...stored,
      appId: expect.stringMatching(/^[0-9a-f]{24}$/),
      pageId: expect.stringMatching(/^[0-9a-f]{24}$/),
      appMode: "edit",
      appName: NAMES.app,
      pageName: "Page1",
      datasource: { name: NAMES.datasource },
      name: NAMES.action,
      isExampleApp: false,
      originService: "appsmith-server",
      instanceId: product.state("instance.json").instanceId,
      version: "2.0.0",
      timeElapsed: elapsedMs[index],
      username: expect.stringMatching(/^[0-9a-f]{32}$/), // the instance's hash, hashed again by the collector
    });
    expect(properties?.timeElapsed).toBeGreaterThanOrEqual(leastMs);
  }
  const names = new Set(events.flatMap(({ properties, userId }) => [properties?.username, userId]));
  expect(names).not.toContain(createHash("sha256").update(PERSON.email).digest("hex"));
});

/** Does what a person does, from signing in to deploying an app. */
async function visit({ url }: Product): Promise<RigTab> {
  const tab = await browser.openTab(`${url}/user/login`);
  await waitFor(tab, "form input[name=password]");
  await tab.type("input[name=email]", PERSON.email);
  await tab.type("input[name=password]", PERSON.password);
  await tab.click("form button");
  await waitFor(tab, "#create");
  await tab.type("input[name=name]", NAMES.app);
  await tab.click("#create");
  await waitFor(tab, "a[data-telemetry=DEPLOY_CLICK]");
  await tab.click("a[data-telemetry=DEPLOY_CLICK]");
  await sleep(2500);
  return tab;
}

const waitFor = (tab: RigTab, selector: string) =>
  expect
    .poll(
      () => tab.evaluate<boolean>(`return document.querySelector(${JSON.stringify(selector)}) !== null`),
      {
        timeout: 10_000,
      },
    )
    .toBe(true);

const CLIENT_EVENTS = [
  "LOGIN_PAGE_LOAD",
  "APPLICATIONS_PAGE_LOAD",
  "CREATE_APPLICATION_CLICK",
  "EDITOR_PAGE_LOAD",
  "DEPLOY_CLICK",
  "VIEWER_PAGE_LOAD",
];

it("a browser sends page loads and clicks after the Yes at the install, and none after a No", async () => {
  const tab = await visit(product);
  const clientEvents = async () =>
    (await collector.events()).filter(({ candor }) => candor.source === "client");
  await expect.poll(clientEvents, { timeout: 20_000 }).toHaveLength(CLIENT_EVENTS.length);
  const events = await clientEvents();
  expect(events.map(({ event }) => event).sort()).toEqual([...CLIENT_EVENTS].sort());
  for (const { properties, context } of events) {
    expect(properties).toEqual({ version: "2.0.0", instanceId: product.state("instance.json").instanceId });
    expect(context?.page).toMatchObject({
      path: expect.stringMatching(/^\/(user\/login|applications|app\/:app\/:page(\/edit)?)$/),
    });
  }
  await tab.close();

  const refused = new Product(collector, 8092);
  try {
    const { status } = await refused.install(release, { typed: [["[y/N]", "n\n"]] });
    expect(status).toBe(0);
    await refused.api("/users", PERSON);
    const other = await visit(refused);
    expect(await other.evaluate("return Object.keys(localStorage)")).toEqual([]);
    await other.close();
    await sleep(3000);
    expect(await clientEvents()).toHaveLength(CLIENT_EVENTS.length);
  } finally {
    await refused.remove();
  }
});

const READ_PATHS = [
  ...["/api/events?limit=1000", "/api/contacts", "/api/reports/plan", "/api/reports/instances"],
  ...["/privacy", "/privacy.json", "/metrics", "/api/openapi.json"],
];

it("of what the data sources hold and people type, nothing is in the data folder or in any answer", async () => {
  const places: [string, string][] = [
    ["the data folder", collector.bytes()],
    ["the log", await docker("logs", "candor")],
  ];
  for (const path of READ_PATHS) places.push([path, await collector.read(path)]);
  for (const [place, text] of places)
    for (const planted of PLANTED) expect(text.includes(planted), `${planted} in ${place}`).toBe(false);
  // The search would find a text that is stored: a name that the plan declares, with its exception.
  expect(places.some(([, text]) => text.includes(NAMES.app))).toBe(true);
});

/** Paths where the plan declares a name that people gave, with its exception. */
const CONTENT = [
  "properties.appName",
  "properties.pageName",
  "properties.datasource.name",
  "properties.name",
];

function leavesOf(value: unknown, path: string): readonly (readonly [string, unknown])[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [[path, value]];
  return Object.entries(value).flatMap(([name, inner]) =>
    leavesOf(inner, path === "" ? name : `${path}.${name}`),
  );
}

it("what the whole run stored is anonymous", async () => {
  const events = await collector.events();
  expect(events.length).toBeGreaterThan(15);
  const hostnames = [
    (await docker("ps", "--format", "{{.ID}}")).trim().split("\n"),
    ["candor.test", "nginx"],
  ].flat();
  for (const event of events)
    for (const [path, value] of leavesOf(event, "")) {
      const text = String(value);
      expect(text, path).not.toContain("@corp");
      if (path !== "context.library.name") expect(text, path).not.toContain("@");
      for (const [, last] of text.matchAll(/\b\d{1,3}\.\d{1,3}\.\d{1,3}\.(\d{1,3})\b/g))
        if (!path.endsWith("userAgent")) expect(last, `${path}: ${text}`).toBe("0");
      for (const name of hostnames) expect(text.includes(name), `${path}: ${text}`).toBe(false);
      if (!CONTENT.includes(path)) expect(text, path).not.toMatch(/zq/i);
    }
});

it("the public page lists what is stored, each path of it, and declares nothing that a run does not store", async () => {
  const html = await collector.read("/privacy");
  const tab = await browser.openTab(product.url);
  const page = await tab.evaluate<{
    texts: string[];
    sections: { name: string; properties: string[]; sample: string }[];
  }>(`
    const page = new DOMParser().parseFromString(${JSON.stringify(html)}, "text/html");
    const code = (root) => [...root.querySelectorAll("code")].map((one) => one.textContent);
    return {
      texts: code(page),
      sections: [...page.querySelectorAll("section.event")].map((section) => ({
        name: section.querySelector("h3 code").textContent,
        properties: [...section.querySelectorAll("tbody tr")].map((row) => row.querySelector("code").textContent),
        sample: section.querySelector("pre").textContent,
      })),
    };`);
  await tab.close();
  const events = await collector.events();
  for (const event of events) {
    const section = page.sections.find(({ name }) => name === event.event);
    expect(section, event.event).toBeDefined();
    const sample = new Set(leavesOf(JSON.parse(section?.sample ?? "{}"), "").map(([path]) => path));
    for (const [path] of leavesOf(event, "")) {
      const isDeclared = path.startsWith("properties.") && section?.properties.includes(path.slice(11));
      const isAdded = !path.startsWith("properties.") && page.texts.includes(path.split(".")[0] ?? "");
      expect(isDeclared || isAdded || sample.has(path), `${path} of ${event.event}`).toBe(true);
    }
  }
  for (const name of [ACTIVE, ACTION, "Installation Started", "Installation Success", ...CLIENT_EVENTS]) {
    const stored = new Set(
      events
        .filter(({ event }) => event === name)
        .flatMap((event) => leavesOf(event.properties ?? {}, "").map(([path]) => path)),
    );
    const rows = page.sections.find((section) => section.name === name)?.properties ?? [];
    const listed = rows.filter((path) => !rows.some((other) => other.startsWith(`${path}.`)));
    // This product has no organisations.
    expect(new Set(listed.filter((path) => path !== "orgId")), name).toEqual(stored);
  }
});
