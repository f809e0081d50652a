/** Starts the load generator's process, and defines its options and figures. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The load to generate. */
export type LoadOptions = {
  /** The collector's origin, e.g. `http://127.0.0.1:7226`. */
  readonly url: string;
  /** Default: `/v1/track` for single events, `/v1/batch` for more. */
  readonly path?: string;
  /** Default 32, at most 256. */
  readonly connections?: number;
  /** Events per request. */
  readonly batchSize: number;
  readonly durationMs: number;
  /** How long load is sent before the measurement starts. Default 0. */
  readonly warmupMs?: number;
  readonly writeKey: string;
  /** Up to 4 base-36 digits, different for each load on the same collector; otherwise its messages are duplicates. */
  readonly idPrefix: string;
  /**
   * A fixed rate. Latency then counts from the time a request was due. Default: as
   * fast as the answers arrive.
   */
  readonly eventsPerSecond?: number;
  /** Processes whose CPU time is read at the start and the end of the measured time. Default: none. */
  readonly watchedPids?: readonly number[];
};

export type LoadResult = {
  /** Requests answered with 2xx during the measured time. */
  readonly requests: number;
  /** Events accepted during the measured time. */
  readonly events: number;
  readonly requestsPerS: number;
  readonly eventsPerS: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Events acknowledged in the whole run, including the warm-up. */
  readonly acknowledgedEvents: number;
  readonly errors: LoadErrors;
  /** The load generator's share of one core during the measured time. */
  readonly cpuShare: number;
  /** The share of one core of each process in `watchedPids`. */
  readonly watchedCpuShares: readonly number[];
};

/** The errors of the whole run, including the warm-up. */
export type LoadErrors = {
  /** The number of requests for each status other than 2xx. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Requests without an answer: the connection ended first, or no answer came within 15 s after the load. */
  readonly disconnects: number;
  /** Events in a batch answered with 2xx that the answer did not count as accepted. */
  readonly refusedEvents: number;
};

/**
 * Runs one load in its own process. Resolves with the figures once every request is answered or lost, at most
 * 15 s after the load.
 */
export function runLoad(options: LoadOptions): Promise<LoadResult> {
  const result = forkLoad(options);
  // Callers measure other things meanwhile and await the result later. A failure must reach them then, and
  // must not end the process before they have stopped what they started.
  result.catch(() => {});
  return result;
}

function forkLoad(options: LoadOptions): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("../dist/load.js", import.meta.url)));
    let result: LoadResult | undefined;
    child.once("message", (message) => {
      result = message as LoadResult;
    });
    child.once("error", reject);
    child.once("exit", (code) => {
      if (result === undefined) reject(new Error(`the load generator ended with code ${code} and no result`));
      else resolve(result);
    });
    child.send(options);
  });
}

/** `single events` or `batches of N`: how tables name a load. */
export function nameBatchSize(batchSize: number): string {
  return batchSize === 1 ? "single events" : `batches of ${batchSize}`;
}

/** The faults of the loads, in parentheses for the table; empty if there were none. */
export function faultsOf(loads: readonly LoadResult[]): string {
  const faults = loads.map(({ errors }) => describeErrors(errors)).filter((fault) => fault !== null);
  return faults.length === 0 ? "" : ` (${faults.join("; ")})`;
}

/** Null if every request was answered with 2xx and every event was accepted. */
function describeErrors({ statuses, disconnects, refusedEvents }: LoadErrors): string | null {
  const parts = Object.entries(statuses).map(([status, count]) => `${count} x ${status}`);
  if (disconnects > 0) parts.push(`${disconnects} disconnected`);
  if (refusedEvents > 0) parts.push(`${refusedEvents} events refused`);
  return parts.length === 0 ? null : parts.join(", ");
}
