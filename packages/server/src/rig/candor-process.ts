/** For tests: runs the built collector as a process. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const CANDOR = fileURLToPath(new URL("../../../cli/bin/candor.js", import.meta.url));
const WAIT_MS = 60_000;

/** `candor start` from dist, running in its own process group and listening on a free port. */
export interface CandorProcess {
  readonly url: string;
  /** Everything that the process has written so far to stdout and stderr. */
  output(): string;
  isRunning(): boolean;
  /** Sends SIGKILL to the process and its engine; resolves once the process has ended. */
  kill(): Promise<void>;
  /** Stops the process as Ctrl-C does; resolves once the process has ended by itself. */
  stop(): Promise<void>;
}

/**
 * Starts the process. Resolves once it has printed its banner; rejects if it ends before that, or after a
 * minute.
 * @param env its whole environment, except that CANDOR_PORT defaults to 0
 */
export async function startProcess(env: Readonly<Record<string, string>>): Promise<CandorProcess> {
  const child = spawn(process.execPath, [CANDOR, "start"], {
    detached: true,
    env: { CANDOR_PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const exited = once(child, "close");
  const until = Date.now() + WAIT_MS;
  while (!output.includes("Stop: Ctrl-C")) {
    if (Date.now() > until || child.exitCode !== null) {
      killGroup(child);
      throw new Error(`it did not start:\n${output}`);
    }
    await sleep(20);
  }
  const [, url = ""] = /^Candor is collecting on (\S+)$/m.exec(output) ?? [];
  const endBy = async (end: () => void): Promise<void> => {
    end();
    await exited;
  };
  return {
    url,
    output: () => output,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    kill: () => endBy(() => killGroup(child)),
    stop: () => endBy(() => child.kill("SIGINT")),
  };
}

function killGroup({ pid, exitCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null) process.kill(-pid, "SIGKILL");
}
