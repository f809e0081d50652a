import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { collectorNodeFlags } from "./collector.ts";

export type FloorKind = "parse" | "durable" | "fastify";

export type Floor = {
  readonly kind: FloorKind;
  readonly url: string;
  readonly pid: number;
  /** Empties the durable floor's file; call it between rounds. */
  reset(): void;
  stop(): Promise<void>;
};

/** Starts one floor with the Node flags of the collector; its file lies in `folder`. */
export async function startFloor(kind: FloorKind, folder: string): Promise<Floor> {
  const script = fileURLToPath(new URL("../dist/floors.js", import.meta.url));
  const child = fork(script, [kind, join(folder, "floor.log")], { execArgv: [...collectorNodeFlags] });
  const port = await firstMessage(child);
  return {
    kind,
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
  child.once("exit", () => ended.abort(new Error("the floor ended before it listened")));
  const [port] = await once(child, "message", { signal: ended.signal });
  return port as number;
}
