import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { makeRigFolder } from "./rig/child.ts";
import { APPSMITH, SWITCH_OFFERED } from "./rig/in-process.ts";
import { startRecorder } from "./rig/recorder.ts";

const VITEST = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
const SDK = new URL("../dist/index.js", import.meta.url).href;

/** A product's own test, which runs in a separate realm with fake timers. */
const PRODUCT_TEST = `
  it("sends in a realm that is not Node's, while timers stand still", async () => {
    const { readFileSync } = await import("node:fs");
    const errorOf = (task) => { try { task(); } catch (error) { return error; } };
    expect(errorOf(() => readFileSync("/no/such/file")) instanceof Error).toBe(false); // the realms do differ
    vi.useFakeTimers();
    const { createTelemetry } = await import(process.env.SDK);
    const options = JSON.parse(readFileSync(process.env.OPTIONS, "utf8"));
    const telemetry = createTelemetry(options);
    expect(telemetry.status()).toMatchObject({ state: "on", reason: undefined });
    telemetry.track("execute_ACTION_TRIGGERED", {}, { timestamp: new Date(Date.UTC(2026, 10, 2)) });
    expect(await telemetry.flush()).toBe(true);
    const silent = createTelemetry({ ...options, host: process.env.SILENT, stateDir: options.stateDir + "-silent" });
    silent.track("execute_ACTION_TRIGGERED", {});
    expect(await silent.flush({ timeoutMs: 300 })).toBe(false);
    await telemetry.close({ timeoutMs: 300 });
    await silent.close({ timeoutMs: 300 });
  });`;

it.each(["vmThreads", "vmForks"])("a product's tests in %s reach the collector", async (pool) => {
  const root = makeRigFolder();
  const [collector, silent] = [await startRecorder(), await startRecorder()];
  silent.answer = () => true; // this recorder never answers
  const options = {
    plan: APPSMITH,
    source: "server",
    writeKey: "server_key",
    host: collector.url,
    stateDir: join(root, "telemetry"),
    environment: SWITCH_OFFERED,
  };
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, "options.json"), JSON.stringify(options));
  writeFileSync(join(root, "product.test.mjs"), PRODUCT_TEST);
  const args = [VITEST, "run", "--globals", "--root", root, "--pool", pool, "--testTimeout", "60000"];
  const env = {
    PATH: process.env.PATH ?? "",
    SDK,
    OPTIONS: join(root, "options.json"),
    SILENT: silent.url,
    NO_COLOR: "1",
  };
  const child = spawn(process.execPath, args, { env, cwd: root });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (more) => {
      text += more;
    });
  }
  const [code] = await once(child, "close");
  await Promise.all([collector.close(), silent.close()]);
  expect({ code, text: code === 0 ? "" : text }).toEqual({ code: 0, text: "" });
  expect(collector.kept).toMatchObject([{ timestamp: "2026-11-02T00:00:00.000Z" }]);
});
