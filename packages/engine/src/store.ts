/** Opens a chDB folder and runs statements on it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RawInsertParams, RawInsertSummary, Session } from "chdb";
import { MAX_IDLE_SESSIONS, serverConfigXml } from "./limits.ts";
import { createSessionPool, type Scope } from "./session-pool.ts";
import { quoteString } from "./sql-tokens.ts";

export interface TextResult {
  bytes: Uint8Array;
  rowsRead: number;
  bytesRead: number;
  elapsedSeconds: number;
}

/** An open chDB folder. Only one process can hold it. The methods may be called concurrently. */
export interface Store {
  readonly version: string;
  /**
   * Runs one statement that only reads.
   * @returns the whole result in `format`, unless the statement names another format
   */
  read(sql: string, format: string, scope: Scope): Promise<TextResult>;
  /** Like `read`, but for any statement, which is run in a session of its own. */
  command(sql: string, format: string, scope: Scope): Promise<TextResult>;
  /**
   * Like `read`, but for an INSERT whose rows come from a query. Such an INSERT leaves its session unchanged.
   */
  insertFrom(sql: string, format: string, scope: Scope): Promise<TextResult>;
  /**
   * Inserts rows that are given as bytes in a format. When this resolves, they are on disk if the table has
   * fsync_after_insert.
   */
  insert(
    rows: Pick<RawInsertParams, "table" | "columns" | "values" | "format">,
    scope: Scope,
  ): Promise<RawInsertSummary>;
  /**
   * Asks the engine to stop the statements that run with this log_comment, without waiting until they have
   * stopped.
   */
  cancel(logComment: string): Promise<void>;
  /** Rejects if the engine is dead. */
  probe(): Promise<void>;
}

/**
 * Opens the folder `<dataDir>/chdb`, and creates it if needed. Rejects if another process holds the folder.
 */
export async function openStore(dataDir: string): Promise<Store> {
  const chdb = await import("chdb");
  const configFile = join(dataDir, "engine.xml");
  writeFileSync(configFile, serverConfigXml());
  const path = join(dataDir, "chdb");
  mkdirSync(path, { recursive: true });
  // Keeps the folder, and so the engine, open while no query runs.
  const anchor = new chdb.Session(path, { connectionArgs: [`--config-file=${configFile}`] });
  const sessions = createSessionPool(() => new chdb.Session(path), MAX_IDLE_SESSIONS);
  const version = await anchor.queryAsync("SELECT version()", { format: "TSVRaw" });

  const runShared = (sql: string, format: string, scope: Scope): Promise<TextResult> =>
    sessions.use(scope, (session) => runText(session, sql, format));
  return {
    version: version.text().trim(),
    // A session in which `readonly` is set cannot be moved into another scope.
    read: (sql, format, scope) =>
      Object.hasOwn(scope.settings, "readonly")
        ? sessions.useOnce(scope, (session) => runText(session, sql, format))
        : runShared(sql, format, scope),
    command: (sql, format, scope) => sessions.useOnce(scope, (session) => runText(session, sql, format)),
    insertFrom: runShared,
    insert: (rows, scope) => sessions.use(scope, (session) => session.insert(rows)),
    async cancel(logComment) {
      const where = `Settings['log_comment'] = ${quoteString(logComment)}`;
      await anchor.queryAsync(`KILL QUERY WHERE ${where} ASYNC`);
    },
    async probe() {
      await anchor.queryAsync("SELECT 1");
    },
  };
}

async function runText(session: Session, sql: string, format: string): Promise<TextResult> {
  const result = await session.queryAsync(sql, { format });
  const { rowsRead, bytesRead, elapsed } = result;
  return { bytes: result.bytes(), rowsRead, bytesRead, elapsedSeconds: elapsed };
}
