/** Starts the ledger's process and exchanges messages with it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export type LedgerOptions = {
  readonly url: string;
  readonly writeKey: string;
  readonly eventsPerSecond: number;
  /** Default 20. */
  readonly batchSize?: number;
  /** The number of concurrent requests. Default 8. */
  readonly senders?: number;
  /** As in LoadOptions: up to 4 base-36 digits, different for each load on the same collector. */
  readonly idPrefix: string;
  readonly seed: number;
};

/** The final report of the ledger. */
export type LedgerReport = {
  readonly acknowledgedIds: readonly string[];
  /**
   * The ids of events that an answer listed as dropped, or whose request got a status that clients do not
   * retry. None is expected.
   */
  readonly refused: readonly string[];
  /** The number of requests that repeat an earlier one, with the same ids. */
  readonly retries: number;
  /** The number of events that were neither acknowledged nor refused when the time was up. */
  readonly unsettled: number;
};

export type Ledger = {
  /** The number of events acknowledged so far. */
  acknowledged(): number;
  /**
   * Stops sending new events. Retries unacknowledged events until none is left or `withinMs` (default 60000)
   * is over.
   */
  finish(withinMs?: number): Promise<LedgerReport>;
  /** Ends the process without a report. */
  abandon(): void;
};

export type LedgerMessage = { readonly acknowledged: number } | LedgerReport;

/** Starts the ledger in its own process, which survives every kill of the collector. */
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
