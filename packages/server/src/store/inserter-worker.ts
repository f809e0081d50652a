/** Runs the inserter inside its thread. */
import { constants, getPriority, setPriority } from "node:os";
import { platform } from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import { causeOf } from "../errors.ts";
import { openStore } from "./client.ts";
import { createInserter } from "./inserter.ts";
import type { InserterAnswer, InserterRequest, InserterThreadData } from "./inserter-thread.ts";
import { openQuarantine } from "./quarantine.ts";

const NICENESS = 10;

// On Linux, niceness applies to a thread, so this thread yields to the one that answers requests. On other
// systems niceness applies to the whole process.
if (platform === "linux") yieldToOthers();

const { address, databases, quarantineDir }: InserterThreadData = workerData;
const inserter = createInserter(openStore(address, databases), openQuarantine(quarantineDir));

function yieldToOthers(): void {
  try {
    setPriority(Math.min(constants.priority.PRIORITY_LOW, getPriority() + NICENESS));
  } catch {
    // A sandbox may forbid changing the priority. Inserting must work anyway.
  }
}

const answer = (message: InserterAnswer): void => parentPort?.postMessage(message);

// The other thread sends an insert only after the one before has been answered, so inserts never overlap.
parentPort?.on("message", (request: InserterRequest) => {
  if (request.ask === "abort") inserter.abort();
  else if (request.ask === "forget") inserter.forget(request.segment);
  else inserter.insert(request.segment).then(answer, (error: unknown) => answer({ fault: causeOf(error) }));
});
