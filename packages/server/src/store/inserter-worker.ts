/** The inserter's thread. */
import { constants, getPriority, setPriority } from "node:os";
import { platform } from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import { causeOf } from "../errors.ts";
import { openStore } from "./client.ts";
import { createInserter } from "./inserter.ts";
import type { InserterAnswer, InserterRequest, InserterThreadData } from "./inserter-thread.ts";
import { openQuarantine } from "./quarantine.ts";

const NICENESS = 10;

// On Linux niceness belongs to a thread: this one yields to the thread that answers requests. Elsewhere it belongs to
// the process.
if (platform === "linux") yieldToOthers();

/** Requests arrive one at a time; each insert is answered once. */
const { address, quarantineDir }: InserterThreadData = workerData;
const inserter = createInserter(openStore(address), openQuarantine(quarantineDir));

function yieldToOthers(): void {
  try {
    setPriority(Math.min(constants.priority.PRIORITY_LOW, getPriority() + NICENESS));
  } catch {
    // a sandbox may forbid it, but inserting matters more
  }
}

const answer = (message: InserterAnswer): void => parentPort?.postMessage(message);

parentPort?.on("message", (request: InserterRequest) => {
  if (request.ask === "abort") inserter.abort();
  else if (request.ask === "forget") inserter.forget(request.segment);
  else inserter.insert(request.segment).then(answer, (error: unknown) => answer({ fault: causeOf(error) }));
});
