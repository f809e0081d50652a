/** Starts and stops the baseline's process. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { collectorNodeFlags } from "./collector.ts";

export type Baseline = {
  readonly url: string;
  readonly pid: number;
  /** Empties the baseline's file. Call this between rounds. */
  reset(): void;
  stop(): Promise<void>;
};

/**
 * Starts a baseline with the collector's Node flags. Its file is in `folder`, so each
 * baseline needs its own folder.
 */
export async function startBaseline(folder: string, nodePath: string): Promise<Baseline> {
  const script = fileURLToPath(new URL("../dist/baseline-process.js", import.meta.url));
  const child = fork(script, [join(folder, "baseline.log")], {
    execPath: nodePath,
    execArgv: [...collectorNodeFlags],
  });
  const port = await firstMessage(child);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? -1,
    reset: () => {
      child.send("reset");
    },
    async stop() {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}

async function firstMessage(child: ChildProcess): Promise<number> {
  const ended = new AbortController();
  child.once("exit", () => ended.abort(new Error("the baseline ended before it listened")));
  const [port] = await once(child, "message", { signal: ended.signal });
  return port as number;
}
