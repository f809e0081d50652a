import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { REFERENCE_PLAN } from "../../plan/src/rig/reference-plan.ts";

/** The installed command (bin and dist). Each run is a separate process without a terminal. */
const CANDOR = fileURLToPath(new URL("../bin/candor.js", import.meta.url));
/** A plan that keeps the events that the tests invent. */
const OBSERVE = fileURLToPath(new URL("../../server/fixtures/plans/observe.yaml", import.meta.url));
/** An empty value is treated as unset, so the plan that ships with Candor is used. */
const DEFAULT_PLAN = { CANDOR_PLAN: "" };
const WAIT_MS = 20_000;
const STOP_MS = 5000;

const parent = mkdtempSync(join(tmpdir(), "candor-cli-"));
const dataDir = join(parent, "data");
const running = new Set<ChildProcess>();

type Settings = Readonly<Record<string, string>>;

interface Run {
  readonly child: ChildProcess;
  stdout: string;
  stderr: string;
  /** Exit code, or the name of the signal that ended the process. */
  readonly ended: Promise<number | string | null>;
}

/**
 * Starts a command in its own process group, as a terminal does. The command gets only the given settings,
 * and the data folder and plan of the tests if those are not given.
 */
function candor(args: readonly string[], settings: Settings = {}): Run {
  const child = spawn(process.execPath, [CANDOR, ...args], {
    cwd: parent,
    detached: true,
    env: { PATH: process.env.PATH, CANDOR_DATA_DIR: dataDir, CANDOR_PLAN: OBSERVE, ...settings },
  });
  running.add(child);
  const run: Run = {
    child,
    stdout: "",
    stderr: "",
    ended: once(child, "close").then(([code, signal]) => {
      running.delete(child);
      return code ?? signal;
    }),
  };
  child.stdout.setEncoding("utf8").on("data", (piece) => {
    run.stdout += piece;
  });
  child.stderr.setEncoding("utf8").on("data", (piece) => {
    run.stderr += piece;
  });
  return run;
}

async function finish(args: readonly string[], settings?: Settings) {
  const run = candor(args, settings);
  const code = await run.ended;
  return { code, stdout: run.stdout, stderr: run.stderr };
}

async function until(run: Run, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline || run.child.exitCode !== null)
      throw new Error(`it did not come to pass; stdout:\n${run.stdout}\nstderr:\n${run.stderr}`);
    await sleep(20);
  }
}

/** Simulates Ctrl-C: the terminal signals the whole process group, including the embedded store's process. */
function pressCtrlC({ child }: Run): void {
  if (child.pid !== undefined) process.kill(-child.pid, "SIGINT");
}

async function startCollector(settings: Settings = {}): Promise<Run & { url: string }> {
  const run = candor(["start"], { CANDOR_PORT: "0", ...settings });
  await until(run, () => run.stdout.includes("Stop: Ctrl-C"));
  const [, url = ""] = /^Candor is collecting on (\S+)$/m.exec(run.stdout) ?? [];
  return Object.assign(run, { url });
}

/** Returns the line below a heading of the banner. */
function commandBelow(heading: string, { stdout }: Run): string {
  const lines = stdout.split("\n");
  return lines[lines.indexOf(heading) + 1] ?? "";
}

let collector: Run & { url: string };
/** A second collector, with the plan that ships with Candor. */
let appsmith: Run & { url: string };
const APPSMITH = { ...DEFAULT_PLAN, CANDOR_DATA_DIR: join(parent, "appsmith") };

beforeAll(async () => {
  collector = await startCollector();
  appsmith = await startCollector(APPSMITH);
});

afterAll(() => {
  for (const { pid } of running) if (pid !== undefined) process.kill(-pid, "SIGKILL");
  rmSync(parent, { recursive: true, force: true });
});

async function send(message: object): Promise<void> {
  const { stdout } = await finish(["keys", "--json"]);
  const { writeKeys } = JSON.parse(stdout);
  const response = await fetch(`${collector.url}/v1/batch`, {
    method: "POST",
    body: JSON.stringify({ writeKey: writeKeys.client, batch: [message] }),
  });
  expect(response.status).toBe(200);
}

test("start prints the address and the same token and keys as candor keys", async () => {
  const { code, stdout } = await finish(["keys", "--json"]);
  const { writeKeys, adminToken } = JSON.parse(stdout);
  expect(code).toBe(0);
  expect(collector.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(collector.stdout).toContain(
    `  Read        ${collector.url}/api/events\n  Token       ${adminToken}\n`,
  );
  for (const [source, key] of Object.entries(writeKeys))
    expect(collector.stdout).toMatch(new RegExp(`  ${source} +${key}\n`));
  expect((await finish(["keys"])).stdout).toContain(adminToken);
});

test("the printed curl lines work when pasted into sh", { tags: ["curl"] }, async () => {
  const paste = (line: string) => spawnSync("sh", ["-c", line], { encoding: "utf8" });
  const sent = paste(commandBelow("Send a first event:", appsmith));
  expect(JSON.parse(sent.stdout)).toEqual({ success: true });
  const read = commandBelow("Read it back:", appsmith);
  const deadline = Date.now() + WAIT_MS;
  while (!paste(read).stdout.includes("Instance Active") && Date.now() < deadline) await sleep(100);
  const { events } = JSON.parse(paste(read).stdout);
  expect(events).toMatchObject([
    {
      type: "track",
      event: "Instance Active",
      properties: { instanceId: INSTANCE },
      candor: { source: "server", planVersion: REFERENCE_PLAN.version },
    },
  ]);
  expect(events[0].candor).not.toHaveProperty("trimmed");
  expect(appsmith.stdout).not.toContain("Warning");
  expect(collector.stdout).toContain("Warning: source client: It is in mode observe");
});

const INSTANCE = "6f0d2f6c-3c1e-4f6e-9a55-2f1c7b1f0a3d";
const ADDRESS = "ada@example.com";

/**
 * Runs `candor forget` against the collector with the Appsmith plan. Writes `typed` to its standard input.
 */
async function forget(args: readonly string[], typed = "") {
  const run = candor(["forget", ...args], { ...APPSMITH, CANDOR_URL: appsmith.url });
  run.child.stdin?.end(typed);
  const code = await run.ended;
  // Removes the line that the command prints while it waits for a slow collector.
  const stderr = run.stderr.replace(/^.* has not answered yet\. .*\n/m, "");
  return { code, stdout: run.stdout, stderr };
}

async function sendToAppsmith(source: string, message: object): Promise<void> {
  const { writeKeys } = JSON.parse((await finish(["keys", "--json"], APPSMITH)).stdout);
  const body = JSON.stringify({ writeKey: writeKeys[source], anonymousId: "anonymoustId", ...message });
  const response = await fetch(`${appsmith.url}/v1/track`, { method: "POST", body });
  expect(response.status).toBe(200);
}

test("forget deletes an instance or a contact at the collector and prints the deletion receipt", async () => {
  const instanceId = "0123456789abcdef01234567";
  await sendToAppsmith("server", { event: "Instance Active", properties: { instanceId } });
  await sendToAppsmith("installer", {
    event: "Installation Support",
    properties: { os: "ubuntu", error: "port_taken", email: ADDRESS },
  });
  const instance = await forget(["--instance", instanceId]);
  expect([instance.code, instance.stderr]).toEqual([0, ""]);
  expect(instance.stdout).toMatch(new RegExp(`^Forgotten\n {2}instance +${instanceId}\n`));
  expect(instance.stdout).toMatch(/^Removed\n {2}events +1 row$/m);
  const contact = await forget(["--contact", "--json"], `${ADDRESS}\n`);
  expect([contact.code, contact.stderr]).toEqual([0, ""]);
  expect(JSON.parse(contact.stdout).removed).toContainEqual({ where: "contacts", rows: 1 });
  expect(contact.stdout).not.toContain(ADDRESS);
  const user = JSON.parse((await forget(["--user", "nobody", "--json"])).stdout);
  expect(user.removed).toContainEqual({ where: "events", rows: 0 });
});

test("rebuild makes what reports read anew, month by month, and compares it with the events", async () => {
  await sendToAppsmith("server", { event: "Instance Active", properties: { instanceId: INSTANCE } });
  const rebuild = async (...args: string[]) =>
    finish(["rebuild", ...args], { ...APPSMITH, CANDOR_URL: appsmith.url });
  const month = new Date().toISOString().slice(0, 7);
  await expect
    .poll(async () => (await rebuild("--check")).stdout, { timeout: WAIT_MS })
    .toMatch(/in 1 month\.$/m);
  const all = await rebuild();
  expect([all.code, all.stderr]).toEqual([0, ""]);
  expect(all.stdout).toBe(
    `${month} is rebuilt (1 of 1).\nWhat reports read equals the events, in 1 month.\n`,
  );
  const json = JSON.parse((await rebuild("--month", month, "--json")).stdout);
  expect(json).toEqual({ rebuilt: [month], months: [month], differences: [] });
  expect((await rebuild("--month", "2026-13")).stderr).toContain("Write a month such as 2026-01.");
});

test("plan risk asks the collector which fields single instances out", async () => {
  const risk = (...args: string[]) =>
    finish(["plan", "risk", ...args], { ...APPSMITH, CANDOR_URL: appsmith.url });
  const { code, stdout, stderr } = await risk();
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^ {2}Instance Active {15}properties\.instanceId +1 +100\.0% +1 +0\.0$/m);
  expect(JSON.parse((await risk("--json")).stdout).fields).toHaveLength(4);
  const wrong = await risk("--from", "yesterday");
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("Write one such as 2026-01-31.")]);
});

test("sql prints the result of a query, and says what is wrong with one", async () => {
  const settings = { ...APPSMITH, CANDOR_URL: appsmith.url };
  const sql = (...args: string[]) => finish(["sql", ...args], settings);
  expect(await sql("SELECT 1 AS one")).toMatchObject({ code: 0, stdout: '"one"\n1\n', stderr: "" });
  const typed = candor(["sql", "--format", "ndjson"], settings);
  typed.child.stdin?.end("SELECT 2 AS two;\n");
  expect([await typed.ended, typed.stdout]).toEqual([0, '{"two":2}\n']);
  const wrong = await sql("DROP TABLE events");
  expect([wrong.code, wrong.stdout, wrong.stderr]).toEqual([
    2,
    "",
    expect.stringContaining("The query failed: "),
  ]);
});

test("export and import move events through a file, and a message that is imported twice counts once", async () => {
  const settings = { ...APPSMITH, CANDOR_URL: appsmith.url };
  const { adminToken } = JSON.parse((await finish(["keys", "--json"], APPSMITH)).stdout);
  const readJson = async (path: string) => {
    const headers = { authorization: `Bearer ${adminToken}` };
    return JSON.parse(await (await fetch(appsmith.url + path, { headers })).text());
  };
  const count = async (): Promise<number> => (await readJson("/api/count")).count;
  const before = await count();
  expect(before).toBeGreaterThan(0);
  const exported = await finish(["export"], settings);
  expect([exported.code, exported.stderr]).toEqual([0, ""]);
  const lines = exported.stdout.trimEnd().split("\n");
  expect(new Set(lines.map((line) => JSON.parse(line).messageId)).size).toBe(before);
  const file = join(parent, "events.ndjson");
  writeFileSync(file, exported.stdout);
  const again = await finish(["import", file], settings);
  expect(again).toMatchObject({ code: 0, stdout: `Kept ${lines.length} messages.\n`, stderr: "" });
  expect(await count()).toBe(before);

  const alive = {
    type: "track",
    event: "Instance Active",
    anonymousId: "a",
    timestamp: "2026-11-20T08:00:00.000Z",
    properties: { instanceId: INSTANCE },
  };
  writeFileSync(
    file,
    `${JSON.stringify(alive)}\n${JSON.stringify({ ...alive, event: "Secret" })}\nnothing\n`,
  );
  const segment = await finish(["import", file, "--source", "server"], settings);
  expect([segment.code, segment.stdout]).toEqual([
    1,
    "Kept 1 message.\n  dropped  1 event_not_in_plan\nLeft out 1 line that is no message:\n  line 3: it is not JSON\n",
  ]);
  await expect.poll(count, { timeout: WAIT_MS }).toBe(before + 1);
  const { events } = await readJson("/api/events?to=2026-11-21T00:00:00Z&event=Instance%20Active");
  expect(events).toMatchObject([{ timestamp: alive.timestamp }]);
  const missing = await finish(["import", join(parent, "nothing")], settings);
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining("cannot be read (ENOENT)")]);
});

test("forget explains a missing option, address, token or collector", async () => {
  const one = "Give one of --instance ID, --user ID, --contact and --state DIR.\n";
  const line = "Write one e-mail address to standard input, on a line of its own.\n";
  const refused = (stderr: string) => ({ code: 2, stdout: "", stderr });
  expect(await forget([])).toEqual(refused(one));
  expect(await forget(["--user", "a", "--contact"])).toEqual(refused(one));
  expect(await forget(["--contact"], "\n")).toEqual(refused(line));
  expect(await forget(["--contact"], "a@example.com\nb@example.com\n")).toEqual(refused(line));
  expect((await forget(["--user", ""])).stderr).toMatch(/^Send one of .+\n$/);
  const wrongToken = { CANDOR_URL: appsmith.url, CANDOR_ADMIN_TOKEN: "wrong" };
  expect((await finish(["forget", "--user", "a"], wrongToken)).stderr).toMatch(/does not accept this token/);
  const away = await finish(["forget", "--user", "a", "--url", "http://127.0.0.1:9"], wrongToken);
  expect([away.code, away.stdout]).toEqual([2, ""]);
  expect(away.stderr).toMatch(/^No Candor answers at http:\/\/127\.0\.0\.1:9 \(.+\)\./);
});

test("tail shows events as they arrive and why some are dropped; Ctrl-C ends it with 0", async () => {
  const settings = { CANDOR_URL: collector.url };
  const all = candor(["tail"], settings);
  const some = candor(["tail", "--json", "--where", "properties.plan=free"], settings);
  for (const run of [all, some]) await until(run, () => run.stderr.includes("Watching"));
  await send({ type: "track", event: "Or\u001b[2Jder", userId: "me", properties: { plan: "paid" } });
  await send({ type: "track", userId: "me" });
  await send({ type: "track", event: "Last", userId: "me", properties: { plan: "free" } });
  for (const run of [all, some]) await until(run, () => run.stdout.includes("Last"));
  expect(all.stdout.replaceAll(/^\d\d:\d\d:\d\d /gm, "").split("\n")).toEqual([
    "client    track    Or\\u{1b}[2Jder           user:me            plan=paid",
    "client    track                             user:me            dropped, no_event: A track message needs a non-empty string as its event.",
    "client    track    Last                     user:me            plan=free",
    "",
  ]);
  expect(JSON.parse(some.stdout)).toMatchObject({
    verdict: "kept",
    source: "client",
    envelope: { event: "Last" },
  });
  for (const run of [all, some]) pressCtrlC(run);
  expect([await all.ended, await some.ended]).toEqual([0, 0]);
});

test("tail ends quietly when its reader ends", async () => {
  const run = candor(["tail", "--event", "Once"], { CANDOR_URL: collector.url });
  await until(run, () => run.stderr.includes("Watching"));
  run.child.stdout?.destroy();
  await send({ type: "track", event: "Once", userId: "me" });
  expect(await run.ended).toBe(0);
  expect(run.stderr.split("\n")).toHaveLength(2);
});

test("tail explains a missing collector, a wrong token and a wrong filter", async () => {
  const settings = { CANDOR_URL: collector.url };
  const away = await finish(["tail"], { CANDOR_URL: "http://127.0.0.1:9" });
  const wrongToken = await finish(["tail"], { ...settings, CANDOR_ADMIN_TOKEN: "wrong" });
  const wrongFilter = await finish(["tail", "--type", "x"], settings);
  expect([away.code, wrongToken.code, wrongFilter.code]).toEqual([2, 2, 2]);
  expect(away.stderr).toMatch(/^No Candor answers at http:\/\/127\.0\.0\.1:9 \(.+\)\. Start it[^\n]+\n$/);
  expect(wrongToken.stderr).toMatch(/does not accept this token/);
  expect(wrongFilter.stderr).toBe("type is one of track, identify, page, screen, group, alias.\n");
});

test("a second start on the same folder or port says so and exits with 1", async () => {
  const { port } = new URL(collector.url);
  const second = await finish(["start"], { CANDOR_PORT: "0" });
  expect(second).toEqual({
    code: 1,
    stdout: "",
    stderr: `Another Candor is running on ${dataDir}. Stop it, or set CANDOR_DATA_DIR to another folder.\n`,
  });
  const taken = await finish(["start"], { CANDOR_PORT: port, CANDOR_DATA_DIR: join(parent, "second") });
  expect([taken.code, taken.stdout]).toEqual([1, ""]);
  expect(taken.stderr).toContain(
    `Port ${port} on 127.0.0.1 is taken by another program. Stop it, or set CANDOR_PORT to a free port.\n`,
  );
});

test("all errors in the settings are reported at once", async () => {
  const faulty = { CANDOR_PORT: "x", CANDOR_PROT: "1", CANDOR_WRITE_KEYS: "server" };
  const start = await finish(["start"], faulty);
  expect([start.code, start.stdout]).toEqual([1, ""]);
  expect(start.stderr.split("\n  - ").map((fault) => fault.slice(0, 17))).toEqual([
    "The settings cann",
    "CANDOR_PROT is no",
    "CANDOR_PORT is no",
    "CANDOR_WRITE_KEYS",
  ]);
  const doctor = await finish(["doctor"], faulty);
  expect(doctor.code).toBe(1);
  expect(doctor.stdout).toMatch(/^FAIL {2}settings.+CANDOR_PROT.+CANDOR_PORT.+CANDOR_WRITE_KEYS/ms);
});

async function states(settings: Settings) {
  const { code, stdout } = await finish(["doctor", "--json"], settings);
  const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string; sentence: string }[] };
  const states = checks.filter(({ name }) => name !== "disk").map(({ name, state }) => `${name} ${state}`);
  return { code, states, sentences: checks.map(({ sentence }) => sentence).join("\n") };
}

const WELL = ["node", "engine", "settings", "plan", "data", "collector", "store", "quarantine", "clock"];

test("doctor finds a running collector and rows in quarantine, without showing their content", async () => {
  const well = await states({ ...DEFAULT_PLAN, CANDOR_URL: collector.url });
  expect([well.code, well.states]).toEqual([0, WELL.map((name) => `${name} ok`)]);
  expect(well.sentences).toContain(`Candor runs at ${collector.url} and accepts messages.`);
  expect(well.sentences).toContain("The store takes rows");
  const row = {
    quarantinedAt: "2026-01-01T00:00:00Z",
    id: "s-1",
    fault: "VIOLATED_CONSTRAINT",
    line: "SECRET",
  };
  const file = join(dataDir, "quarantine", "s-1.json");
  writeFileSync(file, JSON.stringify(row));
  const warned = await states({ ...DEFAULT_PLAN, CANDOR_URL: collector.url });
  rmSync(file);
  expect([warned.code, warned.states.filter((state) => !state.endsWith("ok"))]).toEqual([
    0,
    ["quarantine warn"],
  ]);
  expect(warned.sentences).toContain("1 VIOLATED_CONSTRAINT; newest: s-1");
  expect(warned.sentences).not.toContain("SECRET");
});

test("doctor reports instances whose folder was copied", async () => {
  for (const [hoursAgo, digit] of [
    [3, "a"],
    [2, "b"],
    [1, "a"],
  ] as const) {
    await sendToAppsmith("server", {
      event: "Instance Active",
      properties: { instanceId: INSTANCE, boot: digit.repeat(16) },
      timestamp: new Date(Date.now() - hoursAgo * 3600_000).toISOString(),
    });
  }
  const look = () => states({ ...APPSMITH, CANDOR_URL: appsmith.url });
  const deadline = Date.now() + WAIT_MS;
  let told = await look();
  while (!told.states.includes("instances warn") && Date.now() < deadline) told = await look();
  expect([told.code, told.states.filter((state) => !state.endsWith("ok"))]).toEqual([0, ["instances warn"]]);
  expect(told.sentences).toContain("1 instance sends from two places at once");
});

test("doctor reports errors in the plan and what needs attention", async () => {
  const file = join(parent, "broken.yaml");
  writeFileSync(file, "product: 7\n");
  const settings = { CANDOR_URL: collector.url };
  const broken = await states({ ...settings, CANDOR_PLAN: file });
  expect([broken.code, broken.states.includes("plan fail")]).toEqual([1, true]);
  expect(broken.sentences).toContain(`${file}:1:10 product:`);
  const observed = await states(settings);
  expect([observed.code, observed.states.includes("plan warn")]).toEqual([0, true]);
  expect(observed.sentences).toContain("source client: It is in mode observe");
});

test("tail reconnects to a restarted collector; Ctrl-C stops a collector within 5 s, with 0", async () => {
  const { port } = new URL(collector.url);
  const watcher = candor(["tail"], { CANDOR_URL: collector.url });
  await until(watcher, () => watcher.stderr.includes("Watching"));
  const beganMs = Date.now();
  pressCtrlC(collector);
  process.kill(collector.child.pid ?? 0, "SIGINT"); // npm passes on the terminal's signal
  expect(await collector.ended).toBe(0);
  expect(Date.now() - beganMs).toBeLessThan(STOP_MS);
  expect(collector.stderr).toMatch(/^\d\d:\d\d:\d\d Stopping: [^\n]+\n\d\d:\d\d:\d\d Stopped\.\n$/);
  await until(watcher, () => watcher.stderr.includes("The connection to the collector broke"));
  collector = await startCollector({ CANDOR_PORT: port });
  await until(watcher, () => watcher.stderr.includes("Connected again."));
  await send({ type: "track", event: "Afterwards", userId: "me" });
  await until(watcher, () => watcher.stdout.includes("Afterwards"));
  watcher.child.kill("SIGTERM");
  collector.child.kill("SIGTERM");
  expect([await watcher.ended, await collector.ended]).toEqual([0, 0]);
});

test("doctor says whether the port of a stopped collector is free", async () => {
  const { port } = new URL(collector.url);
  const free = await states({ ...DEFAULT_PLAN, CANDOR_PORT: port });
  expect([free.code, free.states]).toEqual([0, WELL.map((name) => `${name} ok`)]);
  expect(free.sentences).toContain(`No Candor is running; port ${port} on 127.0.0.1 is free.`);
  const other = createServer((_request, response) => response.end("hello")).listen(Number(port), "127.0.0.1");
  await once(other, "listening");
  const taken = await states({ ...DEFAULT_PLAN, CANDOR_PORT: port });
  other.closeAllConnections();
  other.close();
  expect([taken.code, taken.states.filter((state) => !state.endsWith("ok"))]).toEqual([
    1,
    ["collector fail"],
  ]);
});

test("doctor reports a damaged keys.json without showing it", async () => {
  const damaged = mkdtempSync(join(parent, "damaged-"));
  writeFileSync(join(damaged, "keys.json"), '{"adminToken":"admin_secret"', { mode: 0o600 });
  for (const token of [{}, { CANDOR_ADMIN_TOKEN: "rig-admin-token-0123456789abcdef" }]) {
    const found = await states({ ...DEFAULT_PLAN, ...token, CANDOR_DATA_DIR: damaged });
    expect([found.code, found.states.includes("data fail")]).toEqual([1, true]);
    expect(found.sentences).toContain("keys.json is not what Candor wrote");
    expect(found.sentences).not.toContain("admin_secret");
  }
});

test("doctor warns of keys that other users can read, and changes nothing", async () => {
  const open = mkdtempSync(join(parent, "open-"));
  const keys = { writeKeys: { installer: "i", server: "s", client: "c" }, adminToken: "a" };
  writeFileSync(join(open, "keys.json"), JSON.stringify(keys), { mode: 0o644 });
  const { states: found, sentences } = await states({ ...DEFAULT_PLAN, CANDOR_DATA_DIR: open });
  expect(found).toContain("data warn");
  expect(sentences).toContain("Other users of this machine can read the keys");
  expect(statSync(join(open, "keys.json")).mode & 0o777).toBe(0o644);
});

test("asking for keys creates none", async () => {
  const nowhere = join(parent, "nowhere");
  const { code, stdout, stderr } = await finish(["keys"], { CANDOR_DATA_DIR: nowhere });
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain("`candor start` creates them");
  expect(existsSync(nowhere)).toBe(false);
});
