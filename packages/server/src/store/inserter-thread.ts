/** Runs the inserter in its own thread. */
import { Worker } from "node:worker_threads";
import { builtFile } from "@candor/engine";
import type { SealedSegment } from "../log/log.ts";
import type { Databases, StoreAddress } from "./client.ts";
import type { Inserter } from "./inserter.ts";
import { openRowFiles } from "./row-files.ts";

/** The data that is passed to the thread when it starts. */
export interface InserterThreadData {
  readonly address: StoreAddress;
  readonly databases: Databases;
  readonly quarantineDir: string;
}

export type InserterRequest =
  | { readonly ask: "insert" | "forget"; readonly segment: SealedSegment }
  | { readonly ask: "abort" };

/** The thread's answer to `insert`. */
export type InserterAnswer = { readonly rowsQuarantined: number } | { readonly fault: string };

/**
 * Sets the thread's Node flags. Tests run from the sources, and with this process's flags the built file
 * would import sources too. In all other cases the thread inherits this process's flags.
 */
const FLAGS = import.meta.url.endsWith(".ts") ? { execArgv: [] } : {};

interface Waiting {
  resolve(answer: { rowsQuarantined: number }): void;
  reject(error: Error): void;
}

/**
 * Starts an inserter in its own thread. Reading, checking and sending a block of 10 MB takes about 10 ms,
 * during which no request would be answered. At 10,000 messages a second, that alone tripled the p99 latency
 * (docs/decisions/0010). If the thread dies, the next `insert` or `forget` restarts it.
 */
export function startInserterThread(data: InserterThreadData): Inserter {
  let worker: Worker | undefined;
  let waiting: Waiting | undefined;
  const deleteRowFiles = (): void => {
    if ("rowsDir" in data.address && data.address.rowsDir !== undefined)
      openRowFiles(data.address.rowsDir).empty();
  };
  deleteRowFiles(); // left behind by a process that was killed
  const fail = (error: Error): void => {
    worker = undefined;
    deleteRowFiles();
    waiting?.reject(error);
    waiting = undefined;
  };
  const start = (): Worker => {
    const started = new Worker(builtFile("./inserter-worker.js", import.meta.url), {
      workerData: data,
      ...FLAGS,
    });
    started.on("message", (answer: InserterAnswer) => {
      const asked = waiting;
      waiting = undefined;
      if ("fault" in answer) asked?.reject(new Error(answer.fault));
      else asked?.resolve(answer);
    });
    started.on("error", fail);
    started.on("exit", () => started === worker && fail(new Error("the inserter's thread ended")));
    return started;
  };
  const ask = (request: InserterRequest): void => {
    worker ??= start();
    worker.postMessage(request);
  };
  return {
    insert: (segment) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        ask({ ask: "insert", segment });
      }),
    forget: (segment) => ask({ ask: "forget", segment }),
    abort: () => {
      const request: InserterRequest = { ask: "abort" };
      worker?.postMessage(request);
    },
    close: async () => {
      const ending = worker;
      worker = undefined;
      await ending?.terminate();
      deleteRowFiles();
    },
  };
}
