/** Starts and controls the process that runs one SDK. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { peakResidentBytes, residentBytes } from "../processes.ts";
import type { AnswerOf, Assignment, Place, Subject, Task } from "./task.ts";

const ANSWER_WITHIN_MS = 180_000;

export type Host<T extends Task> = {
  /** Rejects if the process ends before it answers, or does not answer within ANSWER_WITHIN_MS. */
  answer(): Promise<AnswerOf<T>>;
  /**
   * The exit code, or the name of the signal that ended the process; null if the process is
   * still running after `ms`.
   */
  exitWithin(ms: number): Promise<number | string | null>;
  kill(): Promise<void>;
  /** The number of bytes that the process printed to stdout and stderr. */
  printedBytes(): number;
  residentBytes(): number;
  peakResidentBytes(): number;
};

/**
 * Starts a fresh process with one SDK, or with none. Of this environment, the process inherits only PATH; its
 * HOME is the state folder. Candor's variable for turning telemetry off is set to `false`, which allows
 * Candor to send.
 */
export function startHost<T extends Task>(subject: Subject, place: Place, task: T): Host<T> {
  const assignment: Assignment = { subject, place, task };
  const script = fileURLToPath(new URL("../../dist/sdk/host-process.js", import.meta.url));
  const child = fork(script, [JSON.stringify(assignment)], {
    execArgv: [],
    env: { PATH: process.env.PATH, HOME: place.stateDir, APPSMITH_DISABLE_TELEMETRY: "false" },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let printedBytes = 0;
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      printedBytes += chunk.length;
      printed = (printed + chunk).slice(-2000);
    });
  const exited = once(child, "exit").then(([code, signal]): number | string => code ?? signal);
  const answered = new Promise<AnswerOf<T>>((resolve, reject) => {
    child.once("message", (answer: AnswerOf<T>) => resolve(answer));
    child.once("exit", (code, signal) =>
      reject(new Error(`${subject}, ${task.role}: ended with ${signal ?? code}; printed: ${printed}`)),
    );
  });
  // Not every caller awaits the answer, so its rejection must not end this process.
  answered.catch(() => {});
  const pid = child.pid ?? -1;
  return {
    async answer() {
      const waiting = new AbortController();
      const late = sleep(ANSWER_WITHIN_MS, null, { signal: waiting.signal }).catch(() => null);
      const answer = await Promise.race([answered, late]).finally(() => waiting.abort());
      if (answer === null) throw new Error(`${subject}, ${task.role}: no answer`);
      return answer;
    },
    async exitWithin(ms) {
      const waiting = new AbortController();
      const late = sleep(ms, null, { signal: waiting.signal }).catch(() => null);
      const status = await Promise.race([exited, late]);
      waiting.abort();
      return status;
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
    printedBytes: () => printedBytes,
    residentBytes: () => residentBytes(pid),
    peakResidentBytes: () => peakResidentBytes(pid),
  };
}
