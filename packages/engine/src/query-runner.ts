/** Runs a limited number of queries at a time, with separate limits for reads and writes. */
import { setTimeout as sleep } from "node:timers/promises";
import { Semaphore } from "@candor/envelope/concurrency";
import { fault } from "./errors.ts";
import type { Summary } from "./http-answer.ts";
import type { QueryRequest } from "./http-request.ts";
import { MAX_READS, MAX_WAITING, MAX_WRITES, READ_SETTINGS } from "./limits.ts";
import { parseQuery } from "./query.ts";
import type { Scope } from "./session-pool.ts";
import type { RowsInsert } from "./statement.ts";
import type { Store, TextResult } from "./store.ts";

/** The result of a query. */
export interface Answer {
  format: string;
  bytes: Uint8Array;
  summary: Summary;
}

export type QueryRunner = (asked: QueryRequest, body: Buffer, gone: AbortSignal) => Promise<Answer>;

/**
 * Creates a function that runs queries under two semaphores, so that long reads do not block writes, and long
 * writes do not block reads. Besides the faults of `parseQuery` and of the engine, it rejects with
 * TOO_MANY_SIMULTANEOUS_QUERIES, or with the reason of `gone` if that aborts while the query waits.
 */
export function createQueryRunner(store: Store): QueryRunner {
  const reads = new Semaphore({ permits: MAX_READS, maxWaiting: MAX_WAITING });
  const writes = new Semaphore({ permits: MAX_WRITES, maxWaiting: MAX_WAITING });
  let lastRead = 0;

  return async ({ query: urlSql, database, settings, params, defaultFormat }, body, gone) => {
    const scope = { database, settings, params };
    const query = parseQuery(urlSql, body);
    if (query.kind === "rows")
      return admit(writes, () => insertRows(store, query.insert, query.rows, scope), gone);
    const { sql, statement } = query;
    const format = statement.format ?? defaultFormat;
    if (statement.does !== "reads") {
      const write = statement.does === "inserts" ? store.insertFrom : store.command;
      return admit(writes, async () => toAnswer(format, await write(sql, format, scope)), gone);
    }
    const comment = `read ${++lastRead} ${settings.log_comment ?? ""}`.trim();
    const readSettings = { ...READ_SETTINGS, ...settings, log_comment: comment };
    const read = () => store.read(sql, format, { ...scope, settings: readSettings });
    const cancel = () => store.cancel(comment);
    return admit(reads, async () => toAnswer(format, await whileWanted(read, cancel, gone)), gone);
  };
}

async function admit<T>(semaphore: Semaphore, run: () => Promise<T>, gone: AbortSignal): Promise<T> {
  const result = semaphore.run(run, gone);
  if (result === undefined) throw fault.tooManyQueries(semaphore.waiting);
  return result;
}

const CANCEL_INTERVAL_MS = 200;

/**
 * Runs a read, and stops it if its client disconnects. A write continues, as in ClickHouse: its client will
 * check or retry. The cancel request is repeated, because the engine does not yet know a read that is just
 * about to begin.
 */
async function whileWanted<T>(
  read: () => Promise<T>,
  cancel: () => Promise<void>,
  gone: AbortSignal,
): Promise<T> {
  let ended = false;
  const stop = async () => {
    while (!ended) {
      // If this fails, the read ends when its max_execution_time is exceeded.
      await cancel().catch(() => {});
      await sleep(CANCEL_INTERVAL_MS);
    }
  };
  const onGone = () => void stop();
  gone.addEventListener("abort", onGone, { once: true });
  try {
    return await read();
  } finally {
    ended = true;
    gone.removeEventListener("abort", onGone);
  }
}

function toAnswer(format: string, result: TextResult): Answer {
  const { bytes, rowsRead, bytesRead, elapsedSeconds } = result;
  return {
    format,
    bytes,
    summary: { readRows: rowsRead, readBytes: bytesRead, writtenRows: 0, writtenBytes: 0, elapsedSeconds },
  };
}

async function insertRows(store: Store, insert: RowsInsert, values: Buffer, scope: Scope): Promise<Answer> {
  const { table, columns, format } = insert;
  const done = await store.insert(
    { table, values, format, ...(columns && { columns }) },
    { ...scope, settings: { ...scope.settings, ...insert.settings } },
  );
  const { rowsWritten, bytesWritten, rowsSent, bytesSent, elapsed } = done;
  const summary = {
    readRows: rowsSent ?? rowsWritten,
    readBytes: bytesSent,
    writtenRows: rowsWritten,
    writtenBytes: bytesWritten,
    elapsedSeconds: elapsed,
  };
  return { format: "TabSeparated", bytes: new Uint8Array(), summary };
}
