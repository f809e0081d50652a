/** Starts the engine's process, and pings it. */
import { type ChildProcess, fork } from "node:child_process";
import { request } from "node:http";
import { createInterface } from "node:readline";
import { builtFile } from "./built-file.ts";
import { THREAD_POOL_SIZE } from "./limits.ts";
import type { ChildOptions, Listening } from "./protocol.ts";

export interface ProcessEvents {
  /** Called with each non-blank line that the child prints, whether it comes from the engine or our code. */
  line(text: string): void;
  listening(): void;
  /** Called once, when the child has ended or could not start. `how` is a description for people. */
  gone(exitCode: number | null, how: string): void;
}

/**
 * Starts the child process. It inherits neither this process's output streams nor its environment, so the
 * process that runs SQL has neither the write keys nor the admin token.
 */
export function spawnEngineProcess(options: ChildOptions, events: ProcessEvents): ChildProcess {
  const child = fork(builtFile("./child.js", import.meta.url), [JSON.stringify(options)], {
    cwd: options.dataDir,
    env: { TZ: "UTC", UV_THREADPOOL_SIZE: String(THREAD_POOL_SIZE) },
    execArgv: [],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let lastLine = "";
  for (const output of [child.stdout, child.stderr]) {
    if (output === null) continue;
    output.on("error", () => {});
    createInterface({ input: output }).on("line", (line) => {
      if (line.trim() === "") return;
      lastLine = line;
      events.line(line);
    });
  }
  child.on("message", (message: Listening) => message.kind === "listening" && events.listening());
  // An error of a child that has started is ignored. Sending a message to a child that is ending causes one,
  // and `close` below reports the end itself.
  child.on("error", (error) => {
    if (child.pid === undefined) events.gone(null, `the engine's process did not start: ${error.message}`);
  });
  // Uses `close` instead of `exit`, because only then have the last lines been read.
  child.on("close", (code, signal) => {
    if (child.pid === undefined) return;
    const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
    events.gone(code, `the engine's process ${how}${lastLine === "" ? "" : `: ${lastLine}`}`);
  });
  return child;
}

/** Whether the engine behind the socket answers a ping with status 200 within the time limit. */
export function pingSocket(socketPath: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const ping = request({ socketPath, path: "/ping", timeout: timeoutMs, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on("timeout", () => ping.destroy());
    ping.on("error", () => resolve(false));
    ping.on("close", () => resolve(false));
    ping.end();
  });
}
