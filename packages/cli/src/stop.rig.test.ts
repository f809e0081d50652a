import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openDataFolder } from "@candor/server";
import { afterEach, beforeEach, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const CANDOR = join(ROOT, "packages/cli/bin/candor.js");
const START_MS = 60_000;
const END_MS = 10_000;

let dir: string;
let children: ChildProcess[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "candor-npx-"));
});
afterEach(() => {
  // Each child leads its own process group.
  for (const { pid } of children) if (pid !== undefined) killGroup(pid);
  children = [];
  rmSync(dir, { recursive: true, force: true });
});

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group has already ended.
  }
}

/**
 * Starts a command in the background, as `COMMAND &` does.
 * @returns the process, and the collector's port
 */
async function launch(
  command: string,
  args: readonly string[],
): Promise<{ child: ChildProcess; port: number }> {
  // Leaves out the variables of the npm that runs the tests, and Candor's settings.
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|CANDOR_)/i.test(name));
  const env = {
    ...Object.fromEntries(own),
    CANDOR_PORT: "0",
    CANDOR_DATA_DIR: join(dir, "data"),
    CANDOR_CLICKHOUSE_URL: "http://127.0.0.1:1",
  };
  const child = spawn(command, args, { cwd: ROOT, env, detached: true, stdio: ["ignore", "pipe", "ignore"] });
  children.push(child);
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await expect.poll(() => output, { timeout: START_MS }).toContain("Stop: Ctrl-C");
  return { child, port: Number(/collecting on http:\/\/[\d.]+:(\d+)/.exec(output)?.[1]) };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

it("the collector ends with the npx that started it, which passes no signals on, and frees port and folder", async () => {
  const { child, port } = await launch("npx", ["candor", "start"]);
  child.kill("SIGTERM"); // signals npx alone
  await expect.poll(() => isListening(port), { timeout: END_MS }).toBe(false);
  await expect.poll(() => tryFolder(), { timeout: END_MS }).toBe("free");
});

it("a collector in the background survives the shell that started it", async () => {
  const { port } = await launch("sh", ["-c", `"${process.execPath}" "${CANDOR}" start & sleep 4; exit 0`]);
  await new Promise((resolve) => children[0]?.once("exit", resolve));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect([await isListening(port), tryFolder()]).toEqual([true, "data_folder_locked"]);
});

function tryFolder(): string {
  try {
    openDataFolder(join(dir, "data")).release();
    return "free";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}
