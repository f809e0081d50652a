import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { builtFile } from "./built-file.ts";
import { type Engine, type EngineOptions, startEngine } from "./index.ts";

let folder: string;
const engines: Engine[] = [];
const parents: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "engine-test-"));
});

afterEach(async () => {
  for (const parent of parents.splice(0)) parent.kill("SIGKILL");
  for (const engine of engines.splice(0)) await engine.close();
  await rm(folder, { recursive: true });
});

async function start(options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await startEngine({ dataDir: join(folder, "store"), ...options });
  engines.push(engine);
  return engine;
}

function ask(socketPath: string, sql: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path: "/", method: "POST", agent: false }, (response) =>
      resolve(text(response)),
    );
    sent.on("error", reject);
    sent.end(sql);
  });
}

/**
 * Whether a process has ended. A zombie counts as ended, because in a container there may be no process that
 * reaps it.
 */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return true;
  }
  return existsSync(`/proc/${pid}/stat`) && /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

const pidOf = (engine: Engine) => engine.status().pid ?? 0;

const FILL =
  "CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS fsync_after_insert = 1, fsync_part_directory = 1 AS SELECT 1 AS a";
const SLOW = "SELECT count() FROM numbers(1e13) WHERE cityHash64(number) = 7";

test("restarts after kill -9 of the child and answers again, on the same socket with the same rows", async () => {
  const lines: string[] = [];
  const engine = await start({ log: (line) => lines.push(line) });
  await engine.ready();
  await ask(engine.socketPath, FILL);
  const { pid } = engine.status();
  process.kill(pid ?? 0, "SIGKILL");
  await expect.poll(() => engine.status().state).toBe("waiting");
  expect(engine.status()).toMatchObject({
    restarts: 0,
    lastError: "the engine's process was ended by SIGKILL",
  });
  await engine.ready();
  expect(await ask(engine.socketPath, "SELECT a FROM kept")).toBe("1\n");
  expect(engine.status()).toMatchObject({ state: "ready", restarts: 1 });
  expect(pidOf(engine)).not.toBe(pid);
  expect(lines.at(-1)).toMatch(/SIGKILL; starting it again in \d+ ms$/);
});

test("the child ignores the signals that a terminal sends to the whole group, and runs at a lower priority", async () => {
  const engine = await start({ niceness: 12 });
  await engine.ready();
  const pid = pidOf(engine);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(pid, signal);
  expect(await ask(engine.socketPath, "SELECT 1")).toBe("1\n");
  expect(engine.status()).toMatchObject({ state: "ready", pid, restarts: 0 });
  expect(getPriority(pid)).toBe(Math.max(getPriority(), 12)); // the tests themselves may run at a lower priority
});

test("close lets requests finish, then ends the child and removes the socket", async () => {
  const engine = await start();
  await engine.ready();
  const pid = pidOf(engine);
  const late = ask(engine.socketPath, "SELECT sleep(0.5)");
  await new Promise((resolve) => setTimeout(resolve, 100));
  await engine.close();
  expect(await late).toBe("0\n");
  expect(isGone(pid)).toBe(true);
  expect(existsSync(engine.socketPath)).toBe(false);
  expect(engine.status()).toEqual({ state: "stopped", restarts: 0 });
  await expect(engine.ready()).rejects.toThrow("closed");
});

test("close ends a child that is still busy after drainMs, and one that is just starting", async () => {
  const busy = await start({ drainMs: 200 });
  await busy.ready();
  const pid = pidOf(busy);
  const answer = ask(busy.socketPath, SLOW).catch(() => "none");
  await new Promise((resolve) => setTimeout(resolve, 100));
  await busy.close();
  expect(await answer).toBe("none");
  expect(isGone(pid)).toBe(true);

  const starting = await start();
  const ready = starting.ready();
  const rejected = expect(ready).rejects.toThrow("closed");
  await starting.close();
  await rejected;
});

test("the child ends when its parent is killed, even during a query, and the next engine can open the folder", async () => {
  const dataDir = join(folder, "store");
  const script = join(folder, "parent.mjs");
  await writeFile(
    script,
    `import { startEngine } from ${JSON.stringify(builtFile("./index.js", import.meta.url))};
     const engine = await startEngine({ dataDir: ${JSON.stringify(dataDir)} });
     await engine.ready();
     console.log(engine.status().pid, engine.socketPath);`,
  );
  const parent = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  parents.push(parent);
  const [pid, socketPath = ""] = await new Promise<string[]>((resolve) =>
    parent.stdout?.once("data", (data) => resolve(String(data).trim().split(" "))),
  );
  await ask(socketPath, FILL);
  ask(socketPath, SLOW).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 100));
  parent.kill("SIGKILL");
  const next = await start();
  await next.ready();
  expect(isGone(Number(pid))).toBe(true);
  expect(await ask(next.socketPath, "SELECT a FROM kept")).toBe("1\n");
});

test("a second engine on a folder waits until the first is closed, which stays reachable meanwhile", async () => {
  const first = await start();
  await first.ready();
  const second = await start({ readyTimeoutMs: 20 });
  await expect(second.ready()).rejects.toThrow("did not answer within 0.02 s");
  const lastError = () => second.status().lastError;
  await expect
    .poll(lastError, { timeout: 20_000 })
    .toMatch(/code 75: cannot open the store .*another process/);
  expect(await ask(first.socketPath, "SELECT 1")).toBe("1\n");
  await first.close();
  await expect.poll(() => second.status().state, { timeout: 20_000 }).toBe("ready");
  expect(await ask(second.socketPath, "SELECT 2")).toBe("2\n");
});

test("a folder whose path is too long for a socket gets one in a private temporary folder", async () => {
  const engine = await start({ dataDir: join(folder, "long".repeat(30)) });
  await engine.ready();
  expect(engine.socketPath.startsWith(tmpdir())).toBe(true);
  expect(await ask(engine.socketPath, "SELECT 1")).toBe("1\n");
  await engine.close();
  expect(existsSync(join(engine.socketPath, ".."))).toBe(false);
});
