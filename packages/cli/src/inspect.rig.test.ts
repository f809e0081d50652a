import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { createTelemetry, type Telemetry } from "@candor/node";
import { hashPlan } from "@candor/plan";
import { afterAll, beforeAll, expect, test } from "vitest";
import { REFERENCE_PLAN as plan, REFERENCE_PLAN_FILE } from "../../plan/src/rig/reference-plan.ts";
import { type CandorProcess, startProcess } from "../../server/src/rig/candor-process.ts";

/**
 * The installed command. It is tested on a product's state folder that a real SDK and a real collector have
 * filled.
 */
const CANDOR = fileURLToPath(new URL("../bin/candor.js", import.meta.url));
const ACTION = "execute_ACTION_TRIGGERED";
const AWAY = "http://127.0.0.1:9";

const parent = mkdtempSync(join(tmpdir(), "candor-inspect-"));
const dir = join(parent, "telemetry");
let collector: CandorProcess;
let telemetry: Telemetry;

beforeAll(async () => {
  collector = await startProcess({
    PATH: process.env.PATH ?? "",
    CANDOR_DATA_DIR: join(parent, "data"),
    CANDOR_PLAN: REFERENCE_PLAN_FILE,
    CANDOR_WRITE_KEYS: "installer:installer_key,server:server_key,client:client_key",
  });
  telemetry = createTelemetry({
    plan: { hash: hashPlan(plan), content: JSON.parse(JSON.stringify(plan)) },
    source: "server",
    writeKey: "server_key",
    host: collector.url,
    stateDir: dir,
    environment: { APPSMITH_DISABLE_TELEMETRY: "false" },
  });
  for (let number = 0; number < 30; number += 1)
    telemetry.track(ACTION, { timeElapsed: number }, { userId: "ada" });
  expect(await telemetry.flush()).toBe(true);
});

afterAll(async () => {
  await telemetry.close();
  await collector.kill();
  rmSync(parent, { recursive: true, force: true });
});

/**
 * Runs a command with only these settings and CANDOR_URL, writes `typed` to its input, and waits until it
 * ends.
 */
async function candor(args: readonly string[], settings: Readonly<Record<string, string>> = {}, typed = "") {
  const child = spawn(process.execPath, [CANDOR, ...args], {
    cwd: parent,
    env: { PATH: process.env.PATH, CANDOR_URL: collector.url, ...settings },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => {}); // the command may not read its input
  child.stdin.end(typed);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, stdout, stderr };
}

/**
 * Copies the state folder, so that a test can damage the copy. `outboxFile` is one of the copy's outbox
 * files.
 */
function copyFolder(name: string): { copy: string; outboxFile: string } {
  const copy = join(parent, name);
  cpSync(dir, copy, { recursive: true });
  const [file = ""] = readdirSync(join(copy, "outbox")).filter((each) => each.endsWith(".ndjson"));
  return { copy, outboxFile: join(copy, "outbox", file) };
}

test("inspect shows the answers, the instance, and each message as it was sent", async () => {
  const { code, stdout, stderr } = await candor(["inspect", dir, "--limit", "3"]);
  const { instanceId } = telemetry.status();
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("Messages that wait: 0; sent in the last seven days: 30.\n");
  expect(stdout).toMatch(
    new RegExp(
      `^ {2}server {14}notice {2}given \\S+ by the environment, for version ${plan.version} of the plan$`,
      "m",
    ),
  );
  expect(stdout).toContain(`${instanceId} (made of a random key at `);
  expect(stdout).toMatch(/^ {2}accepted {12}30$/m);
  const [file = ""] = readdirSync(join(dir, "outbox"));
  const lines = readFileSync(join(dir, "outbox", file), "utf8")
    .trimEnd()
    .split("\n");
  const shown = stdout.split("\n").filter((line) => line.startsWith("    {"));
  expect(shown.map((line) => line.trim())).toEqual(lines.slice(-3).reverse());
  expect(stdout).toContain("Messages, newest first (3 of 30)\n");
});

test("inspect says what may be sent, what is withheld and why, and which switches exist", async () => {
  const { stdout } = await candor(["inspect", dir]);
  expect(stdout).toMatch(
    new RegExp(
      `^What may be sent\\n {2}plan {16}version ${plan.version} of the plan of Appsmith, [0-9a-f]{64}$`,
      "m",
    ),
  );
  expect(stdout).toMatch(/^ {2}server {14}events that need a notice: sent\. The notice was shown/m);
  expect(stdout).toMatch(/^ {2}client {14}events that need a Yes: withheld\. Nobody has said Yes yet\.$/m);
  expect(stdout).toMatch(/^ {22}withheld events: track APPLICATIONS_PAGE_LOAD, /m);
  expect(stdout).toContain("APPSMITH_DISABLE_TELEMETRY=true or DO_NOT_TRACK=1 turns it off");
});

test("inspect --json prints one object without keys or secrets", async () => {
  const { code, stdout } = await candor(["inspect", dir, "--json"]);
  const { privateKey, hashSecret } = JSON.parse(readFileSync(join(dir, "instance.json"), "utf8"));
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    dir,
    answers: [{ source: "server", answer: "notice" }],
    instance: { instanceId: telemetry.status().instanceId },
    isInstanceStrange: false,
    delivery: { accepted: 30, refused: {} },
    outbox: { files: 1, waiting: { messages: 0, bytes: 0 }, sent: { messages: 30 } },
    messages: Array.from({ length: 20 }, (_, n) => ({
      state: "sent",
      message: { properties: { timeElapsed: 29 - n } },
    })),
  });
  for (const secret of [privateKey, hashSecret, "server_key"]) expect(stdout).not.toContain(secret);
});

test("inspect reports lines that it cannot read or does not understand", async () => {
  const missing = await candor(["inspect", join(parent, "nowhere")]);
  expect([missing.code, missing.stdout]).toEqual([2, ""]);
  expect(missing.stderr).toMatch(
    /^There is no folder \S+nowhere\. .+ without an answer nothing is ever written/,
  );
  const file = await candor(["inspect", join(dir, "instance.json")]);
  expect([file.code, file.stderr]).toEqual([2, expect.stringMatching(/^\S+instance\.json is no folder\./)]);
  const { copy } = copyFolder("strange");
  writeFileSync(join(copy, "instance.json"), '{"version":7}\n');
  writeFileSync(join(copy, "delivery.json"), "[]");
  const strange = await candor(["inspect", copy]);
  expect([strange.code, strange.stdout.includes("instance.json is not of a form that this version")]).toEqual(
    [0, true],
  );
  writeFileSync(join(copy, "receipts.ndjson"), '{"version":7}\n');
  expect((await candor(["inspect", copy])).stdout).toContain("Off. The stored answers cannot be read");
  mkdirSync(join(parent, "empty"));
  expect((await candor(["inspect", join(parent, "empty")])).stdout).toContain("Off, or not begun");
  expect((await candor(["inspect", dir, "--limit", "0"])).stderr).toContain("Write 1 to 1000.");
});

test("inspect explains why a folder or a file in it cannot be read", async () => {
  // Root can read everything, but nobody can follow a link that points to itself.
  const loop = join(dir, "..", "loop");
  symlinkSync(loop, loop);
  const { code, stderr } = await candor(["inspect", loop]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("cannot be read (ELOOP)")]);
  const { copy } = copyFolder("unreadable");
  for (const name of ["receipts.ndjson", "delivery.json"]) {
    rmSync(join(copy, name));
    symlinkSync(join(copy, name), join(copy, name));
    const file = await candor(["inspect", copy]);
    expect(file).toMatchObject({ code: 2, stdout: "" });
    expect(file.stderr).toContain(
      `${name} cannot be read (ELOOP). Ask as the user that the product runs as.`,
    );
    rmSync(join(copy, name));
  }
});

test("text in a message cannot control the terminal", async () => {
  const { copy } = copyFolder("hostile");
  const hostile = join(copy, "outbox", "client-opt-in-20990101T000000Z-a.ndjson");
  writeFileSync(hostile, `${JSON.stringify({ type: "track", event: "\u001b[2J\u202e" })}\nno JSON\u0007\n`);
  const { stdout } = await candor(["inspect", copy]);
  expect(stdout).toContain("track \\u{1b}[2J\\u{202e}");
  expect(stdout).toContain("no JSON\\u{7}");
});

test("compare confirms that the collector stores exactly what was sent", async () => {
  const { code, stdout, stderr } = await candor(["compare", dir]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^The collector stores exactly what was sent\.\n/);
  const json = await candor(["compare", dir, "--json", "--url", collector.url], { CANDOR_URL: AWAY });
  expect([json.code, JSON.parse(json.stdout)]).toEqual([
    0,
    {
      instanceId: telemetry.status().instanceId,
      collector: collector.url,
      notAsked: 0,
      storedUntil: expect.stringMatching(/^\d{4}-.+Z$/),
      sent: 30,
      waiting: 0,
      held: 30,
      same: 30,
      missingThere: [],
      missingHere: [],
      older: 0,
      differing: [],
      trimmed: { userId: 30 }, // the hash that was sent, hashed once more
    },
  ]);
});

test("compare finds what is missing on either side and what differs", async () => {
  const { copy, outboxFile } = copyFolder("spoiled");
  const [first = "", second = "", ...others] = readFileSync(outboxFile, "utf8").trimEnd().split("\n");
  const changed = second.replace('"timeElapsed":1,', '"timeElapsed":100,');
  const invented = first.replace(/"messageId":"[^"]+"/, '"messageId":"invented"');
  const lines = `${[invented, changed, ...others].join("\n")}\n`;
  writeFileSync(outboxFile, lines);
  writeFileSync(outboxFile.replace(".ndjson", ".sent"), `${Buffer.byteLength(lines)}\n`);
  appendFileSync(outboxFile, `${first.replace(/"messageId":"[^"]+"/, '"messageId":"waits"')}\n`);
  const browsers = join(copy, "outbox", "client-opt-in-20261101T000000Z-a");
  writeFileSync(`${browsers}.ndjson`, '{"type":"track","messageId":"of-a-browser"}\n');
  writeFileSync(`${browsers}.sent`, "44\n");
  const { code, stdout } = await candor(["compare", copy, "--json"]);
  const comparison = JSON.parse(stdout);
  expect([code, comparison]).toEqual([
    1,
    expect.objectContaining({
      notAsked: 1,
      sent: 30,
      waiting: 1,
      held: 30,
      same: 28,
      missingThere: ["invented"],
      missingHere: [JSON.parse(first).messageId],
      differing: [
        {
          messageId: JSON.parse(second).messageId,
          fields: [{ path: "properties.timeElapsed", kind: "changed" }],
        },
      ],
    }),
  ]);
});

test("compare refuses an id that does not belong to its key", async () => {
  const { copy } = copyFolder("stranger");
  const own = JSON.parse(readFileSync(join(copy, "instance.json"), "utf8"));
  const failed = (stderr: RegExp) => ({ code: 2, stdout: "", stderr: expect.stringMatching(stderr) });
  const stranger = { ...own, instanceId: "00000000-0000-4000-8000-000000000000" };
  writeFileSync(join(copy, "instance.json"), JSON.stringify(stranger));
  expect(await candor(["compare", copy])).toEqual(failed(/^\S+instance\.json is not of a form/));
  const { d } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  writeFileSync(join(copy, "instance.json"), JSON.stringify({ ...own, privateKey: d }));
  const { code, stdout } = await candor(["compare", copy]);
  expect([code, stdout]).toEqual([2, ""]);
});

test("inspect --hash prints the hash by which a hashed user can be deleted", async () => {
  const token = { CANDOR_DATA_DIR: join(parent, "data") };
  telemetry.track(ACTION, { timeElapsed: 1 }, { userId: "grace" });
  expect(await telemetry.flush()).toBe(true);
  const forget = async (user: string) =>
    JSON.parse((await candor(["forget", "--user", user, "--json"], token)).stdout);
  const byName = await forget("grace");
  expect(byName.removed).toContainEqual({ where: "events", rows: 0 });
  expect(byName.notes).toContainEqual(expect.stringContaining("@candor/node inspect DIR --hash"));
  const { code, stdout, stderr } = await candor(["inspect", dir, "--hash"], {}, "grace\n");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
  const json = await candor(["inspect", dir, "--hash", "--json"], {}, "grace\n");
  expect(JSON.parse(json.stdout)).toEqual({ hash: stdout.trim() });
  const byHash = await forget(stdout.trim());
  expect(byHash.removed).toContainEqual({ where: "events", rows: 1 });
});

test("inspect --hash needs an id on one line and an instance", async () => {
  const line = "Write one id to standard input, on a line of its own.\n";
  for (const typed of ["", "ada\ngrace\n"]) {
    const { code, stdout, stderr } = await candor(["inspect", dir, "--hash"], {}, typed);
    expect([code, stdout, stderr]).toEqual([2, "", line]);
  }
  const { copy } = copyFolder("nobody");
  rmSync(join(copy, "instance.json"));
  const { code, stderr } = await candor(["inspect", copy, "--hash"], {}, "ada\n");
  expect([code, stderr]).toEqual([2, expect.stringContaining("holds no instance")]);
});

/** Removes the line that says that a slow collector has not answered yet. */
const withoutWaiting = (stderr: string): string => stderr.replace(/^.* has not answered yet\. .*\n/m, "");

test("forget --state deletes everything of the instance, signed with its key", async () => {
  const { instanceId } = telemetry.status();
  const { code, stdout, stderr } = await candor(["forget", "--state", dir, "--json"]);
  expect([code, withoutWaiting(stderr)]).toEqual([0, ""]);
  expect(JSON.parse(stdout)).toMatchObject({
    forgotten: { instance: instanceId },
    removed: expect.arrayContaining([{ where: "events", rows: 30 }]),
  });
  const again = await candor(["forget", "--state", dir, "--json"]);
  expect([again.code, withoutWaiting(again.stderr)]).toEqual([0, ""]);
  expect(JSON.parse(again.stdout)).toHaveProperty(
    "removed",
    expect.arrayContaining([{ where: "events", rows: 0 }]),
  );
});
