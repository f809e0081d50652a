/** Owns how the ledger's process is started and asked. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export type LedgerOptions = {
  readonly url: string;
  readonly writeKey: string;
  readonly eventsPerSecond: number;
  /** Default 20. */
  readonly batchSize?: number;
  /** Default 8 requests at a time. */
  readonly senders?: number;
  /** As in LoadOptions. */
  readonly idPrefix: string;
  readonly seed: number;
};

/** What the ledger knows at the end. */
export type LedgerReport = {
  readonly acknowledgedIds: readonly string[];
  /** Events that were not accepted, or whose request got a status that clients do not retry. None is expected. */
  readonly refused: readonly string[];
  /** Sends beyond the first, all with the same ids. */
  readonly retries: number;
  /** Number of ids that were still not acknowledged when the time was up. */
  readonly unsettled: number;
};

export type Ledger = {
  /** Acknowledged so far. */
  acknowledged(): number;
  /** Sends nothing new, retries what is unacknowledged until it is acknowledged or `withinMs` (default 60000) is over. */
  finish(withinMs?: number): Promise<LedgerReport>;
  /** Ends the process without a report. */
  abandon(): void;
};

export type LedgerMessage = { readonly acknowledged: number } | LedgerReport;

/** Starts an exact client in a process of its own, which survives every kill of the collector. */
export function startLedger(options: LedgerOptions): Ledger {
  const child: ChildProcess = fork(fileURLToPath(new URL("../dist/ledger.js", import.meta.url)));
  let acknowledged = 0;
  child.on("message", (message) => {
    const received = message as LedgerMessage;
    if ("acknowledged" in received) acknowledged = received.acknowledged;
  });
  child.send(options);
  return {
    acknowledged: () => acknowledged,
    async finish(withinMs = 60_000) {
      const reported = new Promise<LedgerReport>((resolve, reject) => {
        child.on("message", (message) => {
          const received = message as LedgerMessage;
          if ("acknowledgedIds" in received) resolve(received);
        });
        child.once("exit", (code) => reject(new Error(`the ledger ended with code ${code}`)));
      });
      child.send({ finishWithinMs: withinMs });
      const report = await reported;
      if (child.exitCode === null) await once(child, "exit");
      return report;
    },
    abandon: () => {
      child.kill("SIGKILL");
    },
  };
}
