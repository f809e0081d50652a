import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isRecord } from "@candor/envelope/unknown-value";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type CandorProcess, startProcess } from "../../../../packages/server/src/rig/candor-process.ts";
import { awaitStored, type Collector, countStored, readApi } from "./collector.ts";
import { countStory } from "./count-story.ts";
import { makeStory } from "./make-story.ts";
import { playStory } from "./play-story.ts";
import { HOUR_MS } from "./story.ts";

const MAIN = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const keys = {
  writeKeys: { installer: "installer_key", server: "server_key", client: "client_key" },
  adminToken: "token-of-the-rig",
};
const story = makeStory({ seed: 31, instances: 40, weeks: 2, endMs: Date.now() - 60_000 });
const counts = countStory(story);
const dir = mkdtempSync(join(tmpdir(), "candor-rig-"));
process.env.TMPDIR = dir; // for `tmpdir()` in the tested code
const environment = {
  PATH: process.env.PATH ?? "",
  TMPDIR: dir,
  CANDOR_DATA_DIR: join(dir, "data"),
  CANDOR_ADMIN_TOKEN: keys.adminToken,
  CANDOR_WRITE_KEYS: "installer:installer_key,server:server_key,client:client_key",
};
let candor: CandorProcess;
let collector: Collector;

beforeAll(async () => {
  candor = await startProcess(environment);
  collector = { url: candor.url, keys };
});
afterAll(async () => {
  await candor.stop();
  rmSync(dir, { recursive: true });
});

it("stores exactly what the story plans", async () => {
  const played: number[] = [];
  const faults = await playStory({ collector, story, onPlayed: (messages) => played.push(messages) });
  expect(faults).toEqual([]);
  expect(played.reduce((sum, messages) => sum + messages, 0)).toBe(counts.messages);
  expect(await awaitStored(collector, counts.messages)).toBe(counts.messages);
  const countOf = (event: string, filter = ""): Promise<number> =>
    countStored(collector, `event=${encodeURIComponent(event)}${filter}`);
  expect(await countOf("Instance Active")).toBe(counts.heartbeats);
  expect(await countOf("execute_ACTION_TRIGGERED")).toBe(counts.actions);
  expect(await countStored(collector, "source=client")).toBe(counts.browserEvents);
  for (const [event, count] of Object.entries(counts.installer)) expect(await countOf(event)).toBe(count);
  for (const [error, count] of Object.entries(counts.installErrors))
    expect(await countOf("Installation Errors", `&properties.error=${error}`)).toBe(count);
  for (const [version, count] of Object.entries(counts.versions))
    expect(await countOf("Instance Active", `&properties.version=${version}`)).toBe(count);
  expect([
    counts.heartbeats,
    counts.browserEvents,
    counts.installer["Installation Support"] ?? 0,
  ]).not.toContain(0);
});

it("keeps the times of events and the environment of each instance", async () => {
  const early = `event=Instance%20Active&to=${new Date(story.fromMs + 7 * 24 * 60 * 60_000).toISOString()}`;
  const { events } = (await readApi(collector, `events?${early}&limit=1000`)) as {
    readonly events: readonly { readonly timestamp: string; readonly originalTimestamp: string }[];
  };
  expect(events.length).toBeGreaterThan(20);
  const shiftsMs = events.map((one) => Date.parse(one.timestamp) - Date.parse(one.originalTimestamp));
  expect(Math.max(...shiftsMs)).toBeLessThan(60_000);
  const cis = story.fleet.filter(({ environment: place, isRefused }) => place !== "production" && !isRefused);
  for (const { environment: place } of cis)
    expect(await countStored(collector, `properties.environment=${place}`)).toBeGreaterThan(0);
});

it("has a CI instance that is alive at the end", async () => {
  const recent = new Date(story.endMs - 7 * HOUR_MS).toISOString();
  const filter = `event=Instance%20Active&properties.environment=ci&from=${recent}`;
  expect(await countStored(collector, filter)).toBeGreaterThan(0);
});

it("finds the copied instances, and stores people's e-mail addresses separately", async () => {
  const from = new Date(story.fromMs).toISOString().slice(0, 10);
  const { cloned } = (await readApi(collector, `reports/instances?from=${from}`)) as {
    readonly cloned: object[];
  };
  expect(cloned).toHaveLength(counts.copied);
  expect(counts.copied).toBeGreaterThan(0);
  const { contacts } = (await readApi(collector, "contacts")) as { readonly contacts: object[] };
  expect(contacts).toHaveLength(counts.installer["Installation Support"] ?? 0);
  const { events } = (await readApi(collector, "events?event=Installation%20Support")) as {
    readonly events: object[];
  };
  expect(JSON.stringify(events)).not.toContain("@example.org");
});

it("answers each question of the guide, in the field that the guide names", async () => {
  const guide = readFileSync(new URL("../../../../docs/guides/questions.md", import.meta.url), "utf8");
  const rows = [
    ...guide.matchAll(/^\| (.+?) \| `(.+?)` \| `'http:\/\/127\.0\.0\.1:7226\/api\/(.+?)'` \|$/gm),
  ];
  expect(rows.length).toBeGreaterThanOrEqual(30);
  for (const [, question = "", field = "", path = ""] of rows) {
    let answer: unknown = await readApi(collector, path);
    for (const name of field.split(".")) answer = isRecord(answer) ? answer[name] : undefined;
    expect(answer, question).toBeDefined();
  }
});

it("stores nothing by which single instances can be told, except the random ids and the pseudonym that the plan declares", async () => {
  const fromDay = new Date(story.fromMs).toISOString().slice(0, 10);
  const { fields } = (await readApi(collector, `reports/anonymity?from=${fromDay}`)) as {
    readonly fields: readonly {
      readonly name: string;
      readonly instances: number;
      readonly isIdentifying: boolean;
    }[];
  };
  expect(Math.max(...fields.map(({ instances }) => instances))).toBeGreaterThan(20);
  const identifying = fields.filter(({ isIdentifying }) => isIdentifying).map(({ name }) => name);
  const ids = ["appId", "boot", "installId", "orgId", "pageId", "username"].map(
    (name) => `properties.${name}`,
  );
  expect([...new Set(identifying)].sort()).toEqual([...ids, "userId"]);
});

it("appears in reports as planned: instances, successful installs, and browsers' messages", async () => {
  const all = "environment=all&established=false";
  const fromDay = new Date(story.fromMs).toISOString().slice(0, 10);
  const base = (await readApi(collector, `reports/base?from=${fromDay}&${all}`)) as {
    readonly base: { readonly instances: number };
  };
  const ids = new Set(story.fleet.filter(({ isRefused }) => !isRefused));
  expect(base.base.instances).toBeGreaterThan(0);
  expect(base.base.instances).toBeLessThanOrEqual(ids.size);
  const installs = (await readApi(collector, `reports/installs?from=${fromDay}`)) as {
    readonly outcomes: readonly { readonly outcome: string; readonly installs: number }[];
    readonly ledToInstance: { readonly succeeded: number; readonly medianToHeartbeatMs: number };
  };
  const succeeded = installs.outcomes.find(({ outcome }) => outcome === "success")?.installs;
  expect(succeeded).toBe(counts.installer["Installation Success"]);
  const { ledToInstance } = installs;
  expect(ledToInstance.succeeded).toBeGreaterThan(0);
  expect(ledToInstance.succeeded).toBeLessThanOrEqual(succeeded ?? 0);
  expect(ledToInstance.medianToHeartbeatMs).toBeLessThan(HOUR_MS);
  const client = (await readApi(collector, `reports/client?from=${fromDay}&${all}`)) as {
    readonly messages: number;
    readonly messagesLeftOut: number;
    readonly flows: readonly { readonly from: string; readonly to: string }[];
  };
  expect(client.messages + client.messagesLeftOut).toBe(counts.browserEvents);
  expect(client.flows).toContainEqual(
    expect.objectContaining({ from: "/applications", to: "/app/:app/:page/edit" }),
  );
});

it("is not played if the collector already has messages, except with --again", async () => {
  const run = (...args: readonly string[]) => {
    const env = { ...environment, CANDOR_URL: candor.url };
    return spawnSync(process.execPath, [MAIN, ...args], { env, encoding: "utf8", cwd: dir });
  };
  const refused = run();
  expect([refused.status, refused.stdout]).toEqual([2, ""]);
  expect(refused.stderr).toContain("--again");
  expect(await countStored(collector)).toBe(counts.messages);
  const again = run("--again", "--instances", "3", "--weeks", "1");
  expect([again.status, again.stderr]).toEqual([0, expect.stringContaining("100%")]);
  expect(again.stdout).toContain(`${candor.url}/privacy`);
  expect(await countStored(collector)).toBeGreaterThan(counts.messages);
});

it("leaves nothing on disk", () => {
  expect(readdirSync(dir).filter((name) => name.startsWith("candor-demo-"))).toEqual([]);
});
