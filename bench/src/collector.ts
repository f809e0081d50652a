/** Starts, stops and kills a built collector for tests and benchmarks. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { commandLine, descendants, hasMapped, isAlive } from "./processes.ts";

/** The Node flags with which both the collector and the baseline are started. */
export const collectorNodeFlags: readonly string[] = [];

export const writeKeys = {
  installer: "b1d4f0c2a7e94c58b3d6e8f1a2c4b501",
  server: "b1d4f0c2a7e94c58b3d6e8f1a2c4b502",
  client: "b1d4f0c2a7e94c58b3d6e8f1a2c4b503",
} as const;

export const adminToken = "7c1e5a9d3b8f4e6082c4d6f8a1b3c5e77c1e5a9d3b8f4e6082c4d6f8a1b3c5e7";

export type CollectorOptions = {
  readonly dataDir: string;
  /** Default: a free port. For a restart that clients can find, pass the same port again. */
  readonly port?: number;
  /** Additional CANDOR_* settings. */
  readonly env?: Readonly<Record<string, string>>;
  /** The Node binary for the collector and its engine process. Default: the binary of this process. */
  readonly nodePath?: string;
  /** Additional Node flags, such as `--cpu-prof`. */
  readonly nodeFlags?: readonly string[];
  /**
   * Time limit for the start. Default 60000, because after a kill the engine starts slowly on a busy machine.
   */
  readonly readyWithinMs?: number;
};

/** A collector that runs as an operator runs it: `candor start` in its own process. */
export type Collector = {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly pid: number;
  /** The ids of the collector's process and its helper processes, without the engine. */
  serverPids(): number[];
  /** The id of the engine's process; undefined while there is none. */
  enginePid(): number | undefined;
  isRunning(): boolean;
  /** The last output of the collector, for error messages. */
  output(): string;
  /**
   * Sends SIGKILL to the server, the engine or both at once. Resolves when the killed processes have ended.
   */
  kill(victim: Victim): Promise<void>;
  /**
   * Sends SIGINT, as Ctrl-C does, and resolves with the exit code; null if a signal ended the collector. If
   * the collector is still running after `withinMs` (default 30000), or one of its child processes `withinMs`
   * after the collector's end, kills what is left and throws.
   */
  stop(withinMs?: number): Promise<number | null>;
};

export type Victim = "server" | "engine" | "both";

/**
 * Resolves when /readyz answers 200. Rejects with the process's output if the process ends or takes too long.
 */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const port = options.port ?? (await freePort());
  const flags = [...collectorNodeFlags, ...(options.nodeFlags ?? [])];
  const child = spawn(options.nodePath ?? process.execPath, [...flags, candorCommand(), "start"], {
    env: {
      ...process.env,
      CANDOR_HOST: "127.0.0.1",
      CANDOR_PORT: String(port),
      CANDOR_DATA_DIR: options.dataDir,
      CANDOR_WRITE_KEYS: Object.entries(writeKeys)
        .map((pair) => pair.join(":"))
        .join(","),
      CANDOR_ADMIN_TOKEN: adminToken,
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const collector = collectorOf(child, port, options.dataDir);
  try {
    await untilReady(collector, options.readyWithinMs ?? 60_000);
  } catch (error) {
    await collector.kill("both");
    throw error;
  }
  return collector;
}

function collectorOf(child: ChildProcess, port: number, dataDir: string): Collector {
  const pid = child.pid ?? -1;
  const readOutput = lastOutput(child);
  const exited = once(child, "exit");
  // A failed benchmark must not leave a collector running. The engine ends by itself
  // when the collector has ended.
  const killLeft = () => child.kill("SIGKILL");
  process.once("exit", killLeft);
  child.once("exit", () => process.off("exit", killLeft));
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const enginePid = () => descendants(pid).find(isEngine);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    dataDir,
    pid,
    serverPids: () => [pid, ...descendants(pid).filter((candidate) => !isEngine(candidate))],
    enginePid,
    isRunning,
    output: readOutput,
    async kill(victim) {
      const engine = enginePid();
      const targets = [
        ...(victim === "engine"
          ? []
          : [pid, ...descendants(pid).filter((candidate) => candidate !== engine)]),
        ...(victim === "server" || engine === undefined ? [] : [engine]),
      ];
      for (const target of targets) killIfAlive(target);
      if (victim !== "engine" && isRunning()) await exited;
      while (targets.some(isAlive)) await sleep(2);
    },
    async stop(withinMs = 30_000) {
      const family = [pid, ...descendants(pid)];
      if (isRunning()) child.kill("SIGINT");
      const inTime = await Promise.race([exited, sleep(withinMs, null, { ref: false })]);
      if (inTime === null && isRunning()) {
        for (const member of family) killIfAlive(member);
        throw new Error(`the collector did not stop within ${withinMs} ms:\n${readOutput()}`);
      }
      await untilGone(family, withinMs);
      return child.exitCode;
    },
  };
}

/**
 * Waits until the processes have ended. After `withinMs`, kills those that are left and throws: an engine
 * that outlives its collector would block the store and distort the next measurement.
 */
async function untilGone(pids: readonly number[], withinMs: number): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (pids.some(isAlive)) {
    if (performance.now() > giveUpAt) {
      const left = pids.filter(isAlive);
      const names = left.map((pid) => `${pid} ${commandLine(pid)}`).join("; ");
      for (const pid of left) killIfAlive(pid);
      throw new Error(`processes outlived the collector and were killed: ${names}`);
    }
    await sleep(10);
  }
}

async function untilReady(collector: Collector, withinMs: number): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (collector.isRunning() && performance.now() < giveUpAt) {
    const response = await fetch(`${collector.url}/readyz`).catch(() => null);
    await response?.arrayBuffer();
    if (response?.ok) return;
    await sleep(20);
  }
  const fault = collector.isRunning() ? `was not ready within ${withinMs} ms` : "ended before it was ready";
  throw new Error(`the collector ${fault}:\n${collector.output()}`);
}

/**
 * Whether a process is an engine. Detects it by its loaded library, however the collector started it, or by
 * its command line while the library loads.
 */
export function isEngine(pid: number): boolean {
  return hasMapped(pid, "chdb") || /engine/.test(commandLine(pid));
}

function candorCommand(): string {
  return fileURLToPath(new URL("../../packages/cli/bin/candor.js", import.meta.url));
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has ended by itself in the meantime.
  }
}

/** Returns a function that returns the end of what the process has printed. */
function lastOutput(child: ChildProcess): () => string {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-8192);
    });
  }
  return () => output;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  await new Promise((closed) => probe.close(closed));
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
