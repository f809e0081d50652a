// Runs the set-ups of docs/guides/browser.md as printed, except for hosts, ports and folders.
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { generateJavaScript, loadPlan } from "@candor/plan";
import { expect, it, onTestFinished } from "vitest";
import { openProduct } from "./rig/product.ts";

const ROOT = join(import.meta.dirname, "../../..");
const GUIDE = readFileSync(join(ROOT, "docs/guides/browser.md"), "utf8");
const PLAN = readFileSync(join(ROOT, "plans/appsmith.yaml"), "utf8");
/**
 * Values that operators give to APPSMITH_DISABLE_TELEMETRY, grouped by whether the server's SDK reads them as
 * telemetry on or off.
 */
const ON = ["", "0", "false", "FALSE", "no", "off", '"false"', " false "];
const OFF = ["1", "true", "TRUE", "yes", "on", '"true"', "please"];

function blockOf(language: string): string {
  const [, block = ""] = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "ms").exec(GUIDE) ?? [];
  expect(block).not.toBe("");
  return block;
}

function makeFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "candor-proxies-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, "candor"));
  cpSync(join(ROOT, "packages/browser/dist/candor.iife.js"), join(dir, "candor", "candor.iife.js"));
  return dir;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function runUntil(
  url: string,
  command: string,
  args: readonly string[],
  env: object = {},
): Promise<() => void> {
  const child: ChildProcess = spawn(command, args, { stdio: "ignore", env: { ...process.env, ...env } });
  const stop = () => void child.kill("SIGKILL");
  onTestFinished(stop);
  for (let tries = 0; tries < 200; tries += 1) {
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      return stop;
    await sleep(50);
  }
  throw new Error(`${command} did not start`);
}

interface Seen {
  readonly script: readonly [status: number, isScript: boolean];
  readonly consent: readonly [status: number, allow: unknown];
  readonly message: number;
}

/** Makes a browser's requests through a proxy. */
async function look(url: string, mount: string): Promise<Seen> {
  const script = await fetch(`${url}/candor/candor.iife.js`);
  const consent = await fetch(`${url}${mount}/v1/consent`);
  const told = await consent.text();
  const message = {
    type: "track",
    event: "DEPLOY_CLICK",
    anonymousId: "0b62ab60-02ad-4f69-a181-d9c5eb2f97fa",
  };
  const headers = { origin: url };
  const sent = await fetch(`${url}${mount}/v1/batch`, {
    method: "POST",
    headers,
    body: JSON.stringify({ batch: [message] }),
  });
  return {
    script: [script.status, (await script.text()).includes("/v1/consent")],
    consent: [consent.status, told === "" ? undefined : JSON.parse(told).allow],
    message: sent.status,
  };
}

const SERVED: Seen = { script: [200, true], consent: [200, true], message: 200 };
const SILENT: Seen = { script: [204, false], consent: [204, undefined], message: 204 };

it("nginx serves the SDK and the gateway, and itself obeys the line in docker.env", {
  tags: ["nginx"],
}, async () => {
  const product = await openProduct();
  const dir = makeFolder();
  const asRoot = process.getuid?.() === 0 ? "user root; " : ""; // otherwise workers cannot read the folder
  const template = blockOf("nginx")
    .replace("appsmith-internal-server:8080", new URL(product.url).host)
    .replace("/usr/share/nginx/candor/", `${dir}/candor/`)
    .replace("/usr/share/nginx/html", dir)
    .replaceAll("/telemetry/", `${product.mount}/`);
  for (const value of [...ON, ...OFF]) {
    const port = await freePort();
    const site = template
      .replaceAll(`\${${"APPSMITH_DISABLE_TELEMETRY"}}`, value)
      .replace("listen 80", `listen 127.0.0.1:${port}`);
    writeFileSync(
      join(dir, "nginx.conf"),
      `${asRoot}daemon off; pid ${dir}/pid; error_log ${dir}/error.log; events {}\nhttp { access_log off; client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;\n${site}\n}`,
    );
    const url = `http://127.0.0.1:${port}`;
    const stop = await runUntil(url, "nginx", ["-c", join(dir, "nginx.conf"), "-p", dir]);
    product.requests.length = 0;
    expect({ value, seen: await look(url, product.mount) }).toEqual({
      value,
      seen: ON.includes(value) ? SERVED : SILENT,
    });
    expect(product.requests.length).toBe(ON.includes(value) ? 2 : 0);
    stop();
  }
  expect(product.messages()).toHaveLength(ON.length);
});

it("Caddy does the same", { tags: ["caddy"] }, async () => {
  const product = await openProduct();
  const dir = makeFolder();
  const template = blockOf("caddyfile")
    .replace("appsmith-internal-server:8080", new URL(product.url).host)
    .replace("/srv/candor", `${dir}/candor`)
    .replace("/srv/html", dir)
    .replaceAll("/telemetry/", `${product.mount}/`);
  for (const value of [...ON, ...OFF]) {
    const port = await freePort();
    writeFileSync(
      join(dir, "Caddyfile"),
      `{\n\tadmin off\n\tauto_https off\n}\n${template.replace(":80", `http://127.0.0.1:${port}`)}`,
    );
    const url = `http://127.0.0.1:${port}`;
    const env = { APPSMITH_DISABLE_TELEMETRY: value, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir };
    const stop = await runUntil(
      url,
      "caddy",
      ["run", "--config", join(dir, "Caddyfile"), "--adapter", "caddyfile"],
      env,
    );
    expect({ value, seen: await look(url, product.mount) }).toEqual({
      value,
      seen: ON.includes(value) ? SERVED : SILENT,
    });
    stop();
  }
  expect(product.messages()).toHaveLength(ON.length);
});

it("a Node server serves the SDK and the gateway without a proxy", async () => {
  const dir = makeFolder();
  symlinkSync(join(ROOT, "node_modules"), join(dir, "node_modules"));
  writeFileSync(join(dir, "plan.mjs"), generateJavaScript(loadPlan(PLAN, "appsmith.yaml")));
  writeFileSync(join(dir, "server.mjs"), blockOf("js"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await runUntil(
    url,
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `process.chdir(${JSON.stringify(dir)}); await import(${JSON.stringify(join(dir, "server.mjs"))})`,
    ],
    {
      PORT: String(port),
      WRITE_KEY: "server_key",
      CLIENT_WRITE_KEY: "client_key",
      CANDOR_URL: "http://127.0.0.1:9",
      APPSMITH_DISABLE_TELEMETRY: "false",
      APPSMITH_CLIENT_TELEMETRY: "yes",
    },
  );
  expect(await look(url, "/telemetry")).toEqual(SERVED);
  expect(await (await fetch(`${url}/candor/candor-consent.js`)).text()).toContain("candor-consent");
});
