import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json, text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Fields } from "@candor/node/operator";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { openInstance } from "../../node/src/state/instance.ts";

/** The installed command, tested against collectors that are slow, malfunctioning or unreachable. */
const CANDOR = fileURLToPath(new URL("../bin/candor.js", import.meta.url));
const AWAY = "http://127.0.0.1:9";
const parent = mkdtempSync(join(tmpdir(), "candor-compare-"));
const { instanceId } = openInstance(join(parent, "instance.json"), Date.now());
const sentAt = new Date(Date.now() - 60_000).toISOString();

afterAll(() => rmSync(parent, { recursive: true, force: true }));

const eventOf = (messageId: string): Fields => ({
  type: "track",
  event: "Instance Active",
  messageId,
  timestamp: sentAt,
  properties: { instanceId },
});

/** Returns the event that `eventOf` makes, as a collector returns it. */
const heldOf = (messageId: string): Fields => ({
  ...eventOf(messageId),
  receivedAt: new Date().toISOString(),
});

/** Makes a state folder whose outbox says that these messages were sent. */
function makeFolder(name: string, messageIds: readonly string[]): string {
  const dir = join(parent, name);
  mkdirSync(join(dir, "outbox"), { recursive: true });
  copyFileSync(join(parent, "instance.json"), join(dir, "instance.json"));
  const lines = messageIds.map((messageId) => `${JSON.stringify(eventOf(messageId))}\n`).join("");
  const begun = `server-notice-${sentAt.slice(0, 19).replaceAll(/[-:]/g, "")}Z-a`;
  writeFileSync(join(dir, "outbox", `${begun}.ndjson`), lines);
  writeFileSync(join(dir, "outbox", `${begun}.sent`), `${Buffer.byteLength(lines)}\n`);
  return dir;
}

/**
 * Starts a server that answers each request with the page that `toPage` makes from the request's body and
 * number; the first is 1.
 */
async function serve(toPage: (asked: Fields, count: number) => Fields): Promise<string> {
  let count = 0;
  const server = createServer(async (request, response) => {
    const asked = (await json(request)) as Fields;
    count += 1;
    response.end(JSON.stringify({ success: true, storedUntil: sentAt, ...toPage(asked, count) }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function candor(...args: readonly string[]) {
  const child = spawn(process.execPath, [CANDOR, ...args], {
    cwd: parent,
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, stdout, stderr };
}

test("compare waits for rows that are not stored yet and ignores what the product sends meanwhile", async () => {
  const url = await serve((_, count) => ({
    events: count === 1 ? [] : [heldOf("early"), heldOf("made-since")],
    next: null,
  }));
  const { code, stdout, stderr } = await candor("compare", makeFolder("live", ["early"]), "--url", url);
  expect(stdout).toMatch(/^The collector stores exactly what was sent\.\n/);
  expect(stderr).toMatch(/^\S+ Not there yet: 1\. What was just sent takes a moment; asking again\.\n$/);
  expect(code).toBe(0);
});

test("compare finds a row that arrived late, before the position it had reached", async () => {
  const url = await serve(({ cursor }, count) => {
    if (cursor === undefined)
      return { events: count === 1 ? [heldOf("a")] : [heldOf("late"), heldOf("a")], next: "behind-a" };
    return { events: [], next: null };
  });
  expect(await candor("compare", makeFolder("late", ["late", "a"]), "--url", url)).toMatchObject({ code: 0 });
});

test("compare says up to when everything is stored if something is missing", async () => {
  const url = await serve(() => ({ events: [], next: null }));
  const { code, stdout } = await candor("compare", makeFolder("missing", ["gone"]), "--url", url);
  expect(code).toBe(1);
  expect(stdout).toContain(`  complete up to                   ${sentAt}, by the collector's clock\n`);
  expect(stdout).toMatch(/^Sent but not stored: .+\n {2}gone\n/m);
});

test("compare and forget use the instance's own collector by default", async () => {
  const url = await serve(({ cursor }) => ({
    events: cursor === undefined ? [heldOf("a")] : [],
    next: null,
    forgotten: { instance: instanceId },
    removed: [],
    notes: [],
  }));
  const dir = makeFolder("known", ["a"]);
  writeFileSync(join(dir, "delivery.json"), `${JSON.stringify({ collector: `${url}/` })}\n`);
  expect((await candor("compare", dir)).stdout).toContain(`collector                        ${url}\n`);
  expect(await candor("forget", "--state", dir)).toMatchObject({ code: 0 });
  expect((await candor("inspect", dir)).stdout).toContain(`${url}/`);
});

describe("what an operator can fix ends with 2, with the same message from", () => {
  const commands = [
    ["compare", (dir: string, ...more: readonly string[]) => candor("compare", dir, ...more)],
    ["forget", (dir: string, ...more: readonly string[]) => candor("forget", "--state", dir, ...more)],
  ] as const;

  test.each(commands)("%s: no collector, or something else there", async (name, ask) => {
    const dir = makeFolder(`away-${name}`, ["a"]);
    expect(await ask(dir, "--url", AWAY)).toEqual({
      code: 2,
      stdout: "",
      stderr: `No collector answers at ${AWAY} (ECONNREFUSED). Give the address that the product sends to, such as --url https://telemetry.example.org. The product's page of its telemetry names it, or its documentation.\n`,
    });
    const wrong = await ask(dir, "--url", "telemetry.example.org");
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toMatch(
      /'--url <url>'.+ Write an address such as https:\/\/telemetry\.example\.org\.\n/,
    );
  });

  test.each(commands)("%s: no folder, no instance, a damaged instance", async (name, ask) => {
    const failed = (stderr: RegExp) => ({ code: 2, stdout: "", stderr: expect.stringMatching(stderr) });
    const dir = makeFolder(`damaged-${name}`, ["a"]);
    const file = join(dir, "instance.json");
    expect(await ask(join(parent, "nowhere"))).toEqual(failed(/^There is no folder \S+nowhere\./));
    writeFileSync(file, JSON.stringify({ instanceId }));
    expect(await ask(dir)).toEqual(failed(/^\S+instance\.json is not of a form that this version/));
    unlinkSync(file);
    symlinkSync(file, file);
    expect(await ask(dir)).toEqual(
      failed(/^\S+instance\.json cannot be read \(ELOOP\)\. Ask as the user that/),
    );
    unlinkSync(file);
    expect(await ask(dir)).toEqual(failed(/^\S+ holds no instance, so there is nobody to ask as\./));
  });

  test.each(commands)("%s: a key that signs nothing", async (name, ask) => {
    const dir = makeFolder(`keyless-${name}`, ["a"]);
    const secret = randomBytes(32).toString("base64url");
    const damaged = { instanceId, publicKey: "x", privateKey: "x", hashSecret: secret, createdAt: sentAt };
    writeFileSync(join(dir, "instance.json"), JSON.stringify(damaged));
    const { code, stderr } = await ask(dir, "--url", AWAY);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^\S+instance\.json is not of a form/)]);
  });
});

test("forget --state warns that the product keeps sending", async () => {
  const url = await serve(() => ({ forgotten: { instance: instanceId }, removed: [], notes: [] }));
  const dir = makeFolder("forgotten", ["a"]);
  const { code, stdout } = await candor("forget", "--state", dir, "--url", url);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/\nTelemetry itself has not changed: .+\n$/)]);
  expect((await candor("forget", "--state", dir, "--url", url, "--json")).stdout).not.toContain("itself");
});
