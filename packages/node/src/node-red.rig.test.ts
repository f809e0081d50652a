// @module-tag node-red
// Runs the guide docs/guides/in-a-host-of-your-own.md as it is printed, with Node-RED from npm behind a proxy
// that strips a prefix.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request as ask, createServer } from "node:http";
import { type AddressInfo, createServer as createSocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { findNodeRed } from "../../../scripts/npm-cache.mjs";
import { type Recorder, startRecorder } from "./rig/recorder.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const GUIDE = readFileSync(join(ROOT, "docs/guides/in-a-host-of-your-own.md"), "utf8");
const ADMIN_TOKEN = "admin-token-of-the-host";
const TRIES = 300;
const POLL_MS = 100;

const dir = mkdtempSync(join(tmpdir(), "candor-node-red-"));
const { node, program } = findNodeRed() ?? { node: "", program: "" };
let recorder: Recorder;

/** Returns the guide's code blocks in a language, in order. */
function blocksOf(language: string): readonly string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms");
  return [...GUIDE.matchAll(fence)].map(([, text = ""]) => text);
}

/**
 * Makes a user folder for Node-RED as in the guide: the plugin with the packed SDK, the settings, one flow.
 */
function makeUserFolder(name: string): string {
  const folder = join(dir, name);
  const plugin = join(folder, "node_modules", "flow-desk");
  mkdirSync(plugin, { recursive: true });
  execFileSync(process.execPath, [
    join(ROOT, "scripts/pack-node.mjs"),
    join(plugin, "node_modules/@candor/node"),
  ]);
  const [telemetry = "", settings = "", silent = ""] = blocksOf("js");
  const [plan = ""] = blocksOf("yaml");
  writeFileSync(join(folder, "plan.yaml"), plan);
  writeFileSync(join(plugin, "telemetry.js"), telemetry);
  writeFileSync(join(plugin, "package.json"), blocksOf("json")[0] ?? "");
  writeFileSync(join(folder, "settings.js"), settings);
  writeFileSync(join(folder, "silent.test.js"), silent);
  writeFileSync(join(folder, "flows.json"), JSON.stringify(FLOWS));
  const generate = [join(ROOT, "packages/cli/bin/candor.js"), "generate", "cjs", join(folder, "plan.yaml")];
  writeFileSync(join(plugin, "plan.cjs"), execFileSync(process.execPath, generate));
  return folder;
}

const FLOWS = [
  { id: "tab1", type: "tab", label: "A flow that nobody else may see" },
  { id: "node1", type: "inject", z: "tab1", name: "Ada", props: [], repeat: "", wires: [["node2"]] },
  { id: "node2", type: "debug", z: "tab1", name: "", active: true, wires: [] },
];

interface Desk {
  readonly url: string;
  readonly child: ChildProcess;
  readonly output: () => string;
}

async function freePort(): Promise<number> {
  const server = createSocketServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/**
 * Starts Node-RED on a user folder, with `telemetry` as its state folder. Resolves once its flows have
 * started.
 */
async function start(
  folder: string,
  telemetry: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Desk> {
  const port = await freePort();
  const env = {
    PATH: process.env.PATH,
    PORT: String(port),
    ADMIN_TOKEN,
    FLOW_DESK_TELEMETRY_URL: recorder.url,
    FLOW_DESK_TELEMETRY_DIR: telemetry,
    FLOW_DESK_SERVER_KEY: "server_key",
    FLOW_DESK_CLIENT_KEY: "client_key",
    ...more,
  };
  const args = [program, "--userDir", folder, "--settings", join(folder, "settings.js")];
  const child = spawn(node, args, { cwd: folder, env });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  await until(
    () => output.includes("Started flows"),
    () => output,
  );
  return { url: `http://127.0.0.1:${port}/red`, child, output: () => output };
}

async function stop({ child }: Desk, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

async function until(holds: () => boolean | Promise<boolean>, explain = () => ""): Promise<void> {
  for (let tries = 0; !(await holds()); tries += 1) {
    if (tries === TRIES) throw new Error(`it did not come to that: ${explain()}`);
    await sleep(POLL_MS);
  }
}

/** Runs one of the guide's code blocks in a shell. @param desk the editor's address */
async function paste(block: string, desk: string): Promise<string> {
  const child = spawn("sh", ["-euc", block], { env: { PATH: process.env.PATH, DESK: desk, ADMIN_TOKEN } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  await once(child, "close");
  return output;
}

/** Starts a reverse proxy that strips `/desk` and names that prefix in `X-Forwarded-Prefix`. */
async function startProxy(target: string): Promise<string> {
  const { host } = new URL(target);
  const server = createServer((incoming, response) => {
    const headers = { ...incoming.headers, "x-forwarded-prefix": "/desk" };
    const path = (incoming.url ?? "").replace(/^\/desk/, "");
    const onward = ask(`http://${host}${path}`, { method: incoming.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    incoming.pipe(onward);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/desk/red`;
}

const named = (event: string) => recorder.kept.filter((message) => message.event === event);
const [, curls = "", link = "", turnOff = ""] = blocksOf("sh");

beforeAll(async () => {
  recorder = await startRecorder();
});
afterAll(async () => {
  await recorder.close();
  rmSync(dir, { recursive: true, force: true });
});

describe("Flow Desk, on Node-RED", () => {
  it("shows its notice once, sends what the plan declares, and serves operators and browsers", async () => {
    const folder = makeUserFolder("one");
    const telemetry = join(dir, "one-telemetry");
    const desk = await start(folder, telemetry);
    expect(desk.output()).toContain("Flow Desk sends telemetry to its makers.");
    const url = await startProxy(desk.url);

    const [status = "", messages = ""] = curls.split(/\n(?=curl)/);
    expect(JSON.parse(await paste(status, url))).toMatchObject({ state: "on", problems: [] });
    expect(JSON.parse(await paste(messages, url)).messages[0].message).toMatchObject({
      event: "Flows Started",
      properties: { kinds: ["inject", "debug"], version: expect.stringMatching(/^5\./) },
    });
    expect((await fetch(`${url}/telemetry-page/status.json`)).status).toBe(401);

    const { path } = JSON.parse(await paste(link, url));
    const opened = await fetch(`${url}/${path}`, { redirect: "manual" });
    expect(opened.status).toBe(303);
    const cookie = (opened.headers.getSetCookie()[0] ?? "").split(";", 1).join();
    const page = await fetch(`${url}/telemetry-page/`, { headers: { cookie } });
    expect(await page.text()).toContain("<h1>Telemetry of Flow Desk</h1>");

    // Browsers may send nothing before a Yes. Then they send through the host's body parser, under the public
    // prefix.
    const open = () =>
      fetch(`${url}/telemetry/v1/t`, {
        method: "POST",
        headers: { "content-type": "application/json", "sec-fetch-site": "same-origin" },
        body: JSON.stringify({ event: "Panel Opened", anonymousId: "a", properties: { panel: "help" } }),
      });
    expect(await (await open()).json()).toMatchObject({ accepted: 0, reason: "no_consent" });
    const yes = { answer: "yes", sources: ["client"] };
    const agreed = await fetch(`${url}/telemetry-page/switch`, {
      method: "POST",
      headers: { cookie, "content-type": "application/json", "sec-fetch-site": "same-origin" },
      body: JSON.stringify(yes),
    });
    expect(agreed.status).toBe(200);
    expect(await (await open()).json()).toEqual({ success: true });
    const settings = await fetch(`${url}/telemetry/v1/projects/client_key/settings`);
    expect(await settings.json()).toMatchObject({
      integrations: { "Segment.io": { apiHost: `${new URL(url).host}/desk/red/telemetry/v1` } },
    });

    await until(() => named("Panel Opened").length === 1 && named("Flows Started").length === 1);
    expect(JSON.stringify(recorder.kept)).not.toMatch(/Ada|nobody else may see/);

    // A No is still a No after a restart, and the notice is not shown again.
    expect(JSON.parse(await paste(turnOff, url))).toMatchObject({ state: "off" });
    expect(readdirSync(telemetry)).toEqual(["receipts.ndjson"]);
    await stop(desk);
    const before = recorder.requests.length;
    const again = await start(folder, telemetry);
    expect(again.output()).not.toContain("sends telemetry to its makers");
    expect(readdirSync(telemetry)).toEqual(["receipts.ndjson"]);
    await stop(again);
    expect(recorder.requests.length).toBe(before);
  });

  it("in two processes on one folder, one of them killed, loses nothing and sends nothing twice", async () => {
    recorder.kept.length = 0;
    const telemetry = join(dir, "two-telemetry");
    recorder.answer = (_, response) => {
      response.writeHead(503).end();
      return true;
    };
    const one = await start(makeUserFolder("two-a"), telemetry);
    const two = await start(makeUserFolder("two-b"), telemetry);
    for (const { url } of [one, two, one, two]) {
      const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };
      const deploy = await fetch(`${url}/flows`, { method: "POST", headers, body: JSON.stringify(FLOWS) });
      expect(deploy.status).toBe(204);
    }
    const written = () =>
      readdirSync(join(telemetry, "outbox"))
        .filter((name) => name.endsWith(".ndjson"))
        .flatMap((name) =>
          readFileSync(join(telemetry, "outbox", name), "utf8")
            .trimEnd()
            .split("\n"),
        );
    await until(() => written().length === 6); // two starts and four deploys
    await stop(one, "SIGKILL");
    recorder.answer = undefined;
    await stop(two);
    const three = await start(makeUserFolder("two-c"), telemetry);
    await until(
      () => named("Flows Started").length >= 7,
      () => three.output(),
    );
    const ids = named("Flows Started").map(({ messageId }) => messageId);
    expect([ids.length, new Set(ids).size]).toEqual([7, 7]);
    expect(new Set(named("Flows Started").map(({ anonymousId }) => anonymousId)).size).toBe(1);
    await stop(three);
  });

  it.each([
    ["the product's variable", { FLOW_DESK_DISABLE_TELEMETRY: "true" }, ""],
    ["the host's variable", { NODE_RED_DISABLE_TELEMETRY: "true" }, ""],
    ["the host's own setting", {}, "module.exports.telemetry = { enabled: false };\n"],
  ])("is turned off by %s: nothing is sent, and no folder is created", async (_, environment, setting) => {
    const folder = makeUserFolder(`off-${Object.keys(environment).join()}`);
    writeFileSync(
      join(folder, "settings.js"),
      `${readFileSync(join(folder, "settings.js"), "utf8")}${setting}`,
    );
    const before = recorder.requests.length;
    const telemetry = join(folder, "telemetry-of-it");
    const desk = await start(folder, telemetry, environment);
    const status = JSON.parse(await paste(curls.split(/\n(?=curl)/)[0] ?? "", desk.url));
    expect(status.state).toBe("off");
    expect(existsSync(telemetry)).toBe(false);
    await stop(desk);
    expect(recorder.requests.length).toBe(before);
  });

  it("is silent in the guide's test for makers, and reported if telemetry is on", async () => {
    const folder = makeUserFolder("silent");
    const modules = join(folder, "node_modules");
    const links = [
      [join(program, ".."), join(modules, "node-red")],
      [join(modules, "flow-desk/node_modules/@candor"), join(modules, "@candor")],
    ] as const;
    for (const [target, path] of links) symlinkSync(target, path);
    const run = async (text: string) => {
      writeFileSync(join(folder, "silent.test.js"), text);
      const env = {
        PATH: process.env.PATH,
        PORT: String(await freePort()),
        FLOW_DESK_TELEMETRY_URL: recorder.url,
      };
      const child = spawn(node, ["silent.test.js"], {
        cwd: folder,
        env: { ...env, FLOW_DESK_SERVER_KEY: "k" },
      });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
      const [code] = await once(child, "close");
      return { code, output };
    };
    const silent = readFileSync(join(folder, "silent.test.js"), "utf8");
    const quiet = await run(silent);
    expect(quiet.code, quiet.output).toBe(0);
    const loud = await run(
      silent.replace(
        "{ allow: [process.execPath, __dirname] }",
        "{ environment: {}, allow: [process.execPath] }",
      ),
    );
    expect(loud.output).toContain("It was not silent.");
    expect(loud.output).toContain(join(folder, "telemetry"));
  });
});
