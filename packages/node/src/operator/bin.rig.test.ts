// Tests the package's own program as an operator installs it from the tarball, without the command `candor`.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, it } from "vitest";
import { type RigCollector, startCollector } from "../rig/collector.ts";
import { createPackedProduct, ROOT } from "../rig/packed-product.ts";

const CANDOR = join(ROOT, "packages/cli/bin/candor.js");
const EVENTS = 5;

const product = createPackedProduct();
const machine = join(product.dir, "machine");
const state = join(product.dir, "telemetry");
const installed = join(machine, "node_modules/@candor/node");
let collector: RigCollector;

beforeAll(async () => {
  const packing = ["pack", product.installed, "--pack-destination", product.dir, "--json"];
  const [{ filename }] = JSON.parse(execFileSync("npm", packing, { encoding: "utf8" }));
  mkdirSync(machine);
  writeFileSync(join(machine, "package.json"), "{}");
  const installing = ["install", "--offline", "--no-audit", "--no-fund", join(product.dir, filename)];
  execFileSync("npm", installing, { cwd: machine, stdio: "ignore" });
  collector = await startCollector(process.env.PATH ?? "");
  const file = product.write(
    "product.mjs",
    `import { createTelemetry } from "@candor/node";
     import { plan } from "./plan.mjs";
     const telemetry = createTelemetry({
       plan, source: "server", writeKey: "server_key", host: ${JSON.stringify(collector.url)}, stateDir: ${JSON.stringify(state)},
     });
     for (let n = 0; n < ${EVENTS}; n++) telemetry.track("execute_ACTION_TRIGGERED", { timeElapsed: n }, { userId: "ada" });
     process.exitCode = (await telemetry.flush()) ? 0 : 1;`,
  );
  expect(await product.run(file)).toEqual({ status: 0, output: "" });
  return () => collector.stop();
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  command: string,
  args: readonly string[],
  { typed = "", ...more }: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const env = { PATH: process.env.PATH, HOME: product.dir, npm_config_update_notifier: "false", ...more };
  const child = spawn(command, args, { cwd: machine, env });
  child.stdin.on("error", () => {}); // the program need not read its input
  child.stdin.end(typed);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, stdout, stderr };
}

/** Runs the command as an operator types it, but offline: the package is already installed here. */
const npx = (...args: readonly string[]) => run("npx", ["--offline", "@candor/node", ...args]);
/** Runs the program without npm. */
const program = (args: readonly string[], more?: Readonly<Record<string, string>>) =>
  run(process.execPath, [join(installed, "dist/operator/bin.js"), ...args], more);
const candor = (...args: readonly string[]) => run(process.execPath, [CANDOR, ...args]);

describe("npx @candor/node", () => {
  it("inspect shows each message with the bytes that were sent", async () => {
    const { code, stdout, stderr } = await npx("inspect", state, "--limit", "2");
    expect([code, stderr]).toEqual([0, ""]);
    const [outboxFile = ""] = readdirSync(join(state, "outbox"));
    const lines = readFileSync(join(state, "outbox", outboxFile), "utf8")
      .trimEnd()
      .split("\n");
    const shown = stdout.split("\n").filter((line) => line.startsWith("    {"));
    expect(shown.map((line) => line.trim())).toEqual(lines.slice(-2).reverse());
    expect(stdout).toContain(`Messages, newest first (2 of ${EVENTS})\n`);
  });

  it.each([
    [["inspect", state]],
    [["inspect", state, "--json"]],
    [["compare", state]],
    [["compare", "--json", state]],
    [["inspect", join(product.dir, "nowhere")]],
    [["compare", state, "--url", "http://127.0.0.1:9"]],
  ])("prints and exits like the command candor: %j", async (args) => {
    const ours = await npx(...args);
    // The collector's `storedUntil` advances between two calls.
    const timeless = ({ stdout, ...rest }: Ended) => ({
      ...rest,
      stdout: stdout.replace(/"storedUntil":"[^"]+"/, ""),
    });
    expect(timeless(ours)).toEqual(timeless(await candor(...args)));
    expect(ours.stdout + ours.stderr).not.toBe("");
  });

  it("inspect --hash hashes an id from standard input", async () => {
    const typed = "ada\n";
    const hashed = await program(["inspect", state, "--hash"], { typed });
    expect(hashed).toMatchObject({ code: 0, stderr: "" });
    const { stdout } = await program(["inspect", state, "--json"]);
    expect(JSON.parse(stdout).messages[0].message.userId).toBe(hashed.stdout.trim());
  });

  it("forget has the collector delete everything about the instance", async () => {
    expect((await program(["compare", state])).code).toBe(0);
    const { code, stdout, stderr } = await npx("forget", state);
    // If the collector is slow, the command prints that there is no answer yet.
    expect([code, stderr.replace(/^.* has not answered yet\. .*\n/m, "")]).toEqual([0, ""]);
    expect(stdout).toMatch(/^Forgotten\n {2}instance {22}[0-9a-f-]{36}$/m);
    expect(stdout).toContain(`  events                        ${EVENTS} rows\n`);
    expect(stdout).toMatch(/\nTelemetry itself has not changed: .+\n$/);
    expect(await collector.count()).toBe(0);
  });
});

describe("with wrong arguments, it says on stderr what to write, and exits with 2", () => {
  it.each([
    [[], /^Says what a product's telemetry holds on this machine\. Write one of\n/],
    [["look", "."], /^No command "look"\.\n\n/],
    [["inspect"], /^Give one folder: the product's state folder\.\n\n/],
    [["inspect", "a", "b"], /^Give one folder/],
    [["forget"], /^Give one folder/],
    [["inspect", ".", "--limit", "0"], /^--limit 0: write 1 to 1000\.\n\n/],
    [["inspect", ".", "--url", "http://x"], /^Unknown option '--url'\n\n/],
    [["compare", ".", "--jsn\u001b[2J"], /^Unknown option '--jsn\\u\{1b\}\[2J'\n\n/],
    [["forget", "--state", "."], /^Unknown option '--state'\n\n/],
    [["compare", ".", "--url"], /^Option '--url <value>' argument missing\n\n/],
    [["compare", ".", "--url", "example.org"], /^--url example\.org: Write an address such as https:/],
  ])("%j", async (args, stderr) => {
    const ended = await program(args);
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    expect(ended.stderr).toMatch(stderr);
    expect(ended.stderr).toContain("  npx @candor/node inspect DIR ");
  });

  it("an invalid address in the environment", async () => {
    const ended = await program(["compare", state], { CANDOR_URL: "example.org" });
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    expect(ended.stderr).toMatch(/^CANDOR_URL example\.org: Write an address/);
  });
});

it("prints its usage and its version", async () => {
  const { version } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  const help = await program(["compare", "--help"]);
  expect(help).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("forget DIR") });
  expect(await program(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
});

it("is in the tarball once, and is executable", () => {
  const linked = join(machine, "node_modules/.bin/candor-node");
  accessSync(linked, constants.X_OK);
  expect(execFileSync(linked, ["--help"], { encoding: "utf8" })).toContain("inspect DIR");
  expect(readdirSync(join(installed, "commonjs/operator"))).not.toContain("bin.js");
});

it("compare contacts nobody if nothing says where the instance sends to", async () => {
  const { instanceId } = JSON.parse(readFileSync(join(state, "instance.json"), "utf8"));
  expect(instanceId).toMatch(/^[0-9a-f-]{36}$/);
  const dir = join(product.dir, "unsent");
  mkdirSync(dir);
  writeFileSync(join(dir, "instance.json"), readFileSync(join(state, "instance.json")));
  const ended = await program(["compare", dir]);
  expect(ended).toMatchObject({ code: 2, stdout: "" });
  expect(ended.stderr).toMatch(
    /^\S+unsent does not say where this instance sends to, .+ such as --url https:/,
  );
});
