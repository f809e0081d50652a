/** Owns how the load generator's process is started, and its figures. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What the load generator is asked to do. */
export type LoadOptions = {
  /** The collector's origin, e.g. `http://127.0.0.1:7226`. */
  readonly url: string;
  /** Default: `/v1/track` for single events, `/v1/batch` for more. */
  readonly path?: string;
  /** Default 32, at most 255. */
  readonly connections?: number;
  /** Events a request. */
  readonly batchSize: number;
  readonly durationMs: number;
  /** Sent before and not counted. Default 0. */
  readonly warmupMs?: number;
  readonly writeKey: string;
  /** Up to 4 base-36 digits, different for each load on the same collector; otherwise its messages are duplicates. */
  readonly idPrefix: string;
  /** A fixed rate, at which latency counts from the moment the request was due. Default: as fast as answers come. */
  readonly eventsPerSecond?: number;
  /** Processes whose CPU time is read as the measured time begins and ends. Default: none. */
  readonly watchedPids?: readonly number[];
};

export type LoadResult = {
  /** Answered with 2xx inside the measured time. */
  readonly requests: number;
  /** Accepted inside the measured time. */
  readonly events: number;
  readonly requestsPerS: number;
  readonly eventsPerS: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Over the whole run, warm-up included. */
  readonly acknowledgedEvents: number;
  readonly errors: LoadErrors;
  /** Of one core, while measured. */
  readonly cpuShare: number;
  /** The same of each of `watchedPids`. */
  readonly watchedCpuShares: readonly number[];
};

/** Over the whole run, warm-up included. */
export type LoadErrors = {
  /** Requests by status that was not 2xx. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Connections that ended with a request unanswered. */
  readonly disconnects: number;
  /** Events of 2xx batches that the answer did not count as accepted. */
  readonly refusedEvents: number;
};

/** Runs one load in a process of its own; resolves with its figures once every request is answered or lost. */
export function runLoad(options: LoadOptions): Promise<LoadResult> {
  const result = forkLoad(options);
  // Callers measure other things meanwhile and await it later: a failure must find them then, not end the process before they
  // have stopped what they started.
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

/** What went wrong in the loads, in parentheses for the table; empty if nothing did. */
export function faultsOf(loads: readonly LoadResult[]): string {
  const faults = loads.map(({ errors }) => describeErrors(errors)).filter((fault) => fault !== null);
  return faults.length === 0 ? "" : ` (${faults.join("; ")})`;
}

/** Null if every request was answered 2xx and every event accepted. */
function describeErrors({ statuses, disconnects, refusedEvents }: LoadErrors): string | null {
  const parts = Object.entries(statuses).map(([status, count]) => `${count} x ${status}`);
  if (disconnects > 0) parts.push(`${disconnects} disconnected`);
  if (refusedEvents > 0) parts.push(`${refusedEvents} events refused`);
  return parts.length === 0 ? null : parts.join(", ");
}
