/** Sends statements to ClickHouse, whether it is the embedded engine, a server or a cluster. */
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import {
  type ClickHouseClient,
  type ClickHouseClientConfigOptions,
  ClickHouseError,
  ClickHouseLogLevel,
  createClient,
} from "@clickhouse/client";
import { CandorError, causeOf } from "../errors.ts";
import { insertByFile, type LineInserter, sendLines } from "./line-inserter.ts";
import { openRowFiles } from "./row-files.ts";

/** The databases of one product. */
export interface Databases {
  /** Name of the database with each node's own tables, of letters, digits and `_`. */
  readonly local: string;
  /** On a cluster, name of the database whose tables span all nodes. Without a cluster it is not created. */
  readonly spanning: string;
}

/** The databases of the product whose files are directly in the data folder. */
export const DATABASES: Databases = { local: "candor", spanning: "candor_all" };

const REQUEST_TIMEOUT_MS = 60_000;

/**
 * Where ClickHouse listens: the embedded engine's socket, or the addresses of one server or of a cluster's
 * nodes. If `rowsDir` is set, the engine reads lines from files in that folder, which no other process may
 * use.
 */
export type StoreAddress =
  | { readonly socketPath: string; readonly rowsDir?: string }
  | { readonly urls: readonly string[]; readonly cluster: string | undefined };

/** Values for the placeholders `{name:Type}` in a query's SQL, by name. */
export type QueryParams = Readonly<Record<string, string | number | readonly string[]>>;

export type TextFormat = "CSVWithNames" | "JSONEachRow";
export type QuerySettings = Readonly<Record<string, string | number>>;

/**
 * The store: ClickHouse, as the embedded engine, a server or a cluster. Statements and queries reject while
 * it is unreachable.
 */
export interface Store {
  readonly databases: Databases;
  /**
   * Runs a statement that returns no result, on every node. `database` is the default of unqualified names;
   * the local one if omitted.
   */
  command(sql: string, database?: string): Promise<void>;
  /** Inserts lines exactly once per token, however often it is called with the same lines. */
  readonly insertLines: LineInserter;
  /** Inserts objects that map column names to values. A repeated call inserts them again. */
  insertRows(table: string, rows: readonly object[]): Promise<void>;
  /** Like `insertRows`, but inserts the rows into each node's own table instead of the cluster's table. */
  insertRowsEverywhere(table: string, rows: readonly object[]): Promise<void>;
  query(sql: string, params?: QueryParams): Promise<Record<string, unknown>[]>;
  /** Runs a query with settings of its own, and resolves to the whole result as text in a format of ClickHouse. */
  queryText(sql: string, format: TextFormat, settings: QuerySettings): Promise<string>;
  /** Runs a query on each node and returns each node's result separately. */
  queryEveryNode(sql: string): Promise<Record<string, unknown>[][]>;
  readonly cluster: string | undefined;
  close(): Promise<void>;
}

export function openStore(address: StoreAddress, databases: Databases = DATABASES): Store {
  const { local } = databases;
  const cluster = "urls" in address ? address.cluster : undefined;
  const nodes =
    "urls" in address
      ? address.urls.map((url) => connectTo(() => ({ url })))
      : [connectTo(() => socketOptions(address.socketPath))];
  const spanning = nodes[0]?.(cluster === undefined ? local : databases.spanning);
  if (spanning === undefined) throw new Error("a store has at least one address");
  // Asynchronous inserts, which are the default since ClickHouse 26, ignore deduplication tokens.
  const insertSettings = {
    async_insert: 0 as const,
    ...(cluster === undefined ? {} : { distributed_foreground_insert: 1 as const }),
  };
  const send = sendLines(spanning, insertSettings);
  const rowsDir = "socketPath" in address ? address.rowsDir : undefined;
  return {
    cluster,
    databases,
    command: async (query, database = local) => {
      for (const node of nodes) await node(database).command({ query });
    },
    insertLines: rowsDir === undefined ? send : insertByFile(spanning, openRowFiles(rowsDir), send),
    insertRows: async (table, rows) => {
      await spanning.insert({
        table,
        format: "JSONEachRow",
        values: [...rows],
        clickhouse_settings: insertSettings,
      });
    },
    insertRowsEverywhere: async (table, rows) => {
      for (const node of nodes) await node(local).insert({ table, format: "JSONEachRow", values: [...rows] });
    },
    query: async (query, params = {}) => {
      const result = await spanning.query({ query, query_params: params, format: "JSONEachRow" });
      return result.json<Record<string, unknown>>();
    },
    queryText: async (query, format, settings) => {
      const result = await spanning.query({ query, format, clickhouse_settings: settings });
      return result.text();
    },
    queryEveryNode: (query) =>
      Promise.all(
        nodes.map(async (node) => {
          const result = await node(local).query({ query, format: "JSONEachRow" });
          return result.json<Record<string, unknown>>();
        }),
      ),
    close: async () => {
      for (const node of nodes) await node.close();
    },
  };
}

/** The clients of one server, one for each database. Each is created when it is first used. */
interface Node {
  (database: string): ClickHouseClient;
  close(): Promise<void>;
}

/**
 * Creates the clients of one server.
 * @param optionsOf called once for each client, because a client closes idle sockets of its agent, even
 * sockets that another client uses
 */
function connectTo(optionsOf: () => ClientOptions): Node {
  const clients = new Map<string, ClickHouseClient>();
  const client = (database: string): ClickHouseClient => {
    const known = clients.get(database);
    // By default, the client logs failed requests to the console. Here, only the caller gets the error.
    const made =
      known ??
      createClient({
        ...optionsOf(),
        database,
        request_timeout: REQUEST_TIMEOUT_MS,
        application: "candor",
        log: { level: ClickHouseLogLevel.OFF },
      });
    clients.set(database, made);
    return made;
  };
  const close = async (): Promise<void> => {
    await Promise.all([...clients.values()].map((made) => made.close()));
  };
  return Object.assign(client, { close });
}

type ClientOptions = Pick<ClickHouseClientConfigOptions, "url" | "http_agent">;

function socketOptions(socketPath: string): ClientOptions {
  const agentOptions = { socketPath, keepAlive: true, maxSockets: 8 };
  return { url: "http://localhost", http_agent: new Agent(agentOptions) };
}

/** Reads a file from `sql/`. */
export function readSql(name: string): string {
  return readFileSync(new URL(`../../sql/${name}`, import.meta.url), "utf8");
}

/**
 * ClickHouse's error codes for faults of the rows that were sent. Only such rows are quarantined. For every
 * other fault the store is to blame (unreachable, full, overloaded, misconfigured), and the same block is
 * retried until it is accepted.
 * @see https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
 */
const ROW_FAULTS: ReadonlySet<string> = new Set([
  "6", // CANNOT_PARSE_TEXT
  "25", // CANNOT_PARSE_ESCAPE_SEQUENCE
  "26", // CANNOT_PARSE_QUOTED_STRING
  "27", // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  "33", // CANNOT_READ_ALL_DATA
  "38", // CANNOT_PARSE_DATE
  "41", // CANNOT_PARSE_DATETIME
  "53", // TYPE_MISMATCH
  "69", // ARGUMENT_OUT_OF_BOUND
  "70", // CANNOT_CONVERT_TYPE
  "72", // CANNOT_PARSE_NUMBER
  "117", // INCORRECT_DATA
  "131", // TOO_LARGE_STRING_SIZE
  "321", // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  "349", // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
  "395", // FUNCTION_THROW_IF_VALUE_IS_NON_ZERO
  "407", // DECIMAL_OVERFLOW
  "469", // VIOLATED_CONSTRAINT
  "691", // UNKNOWN_ELEMENT_OF_ENUM
]);

/**
 * Returns the store's name for the fault in the rows that were sent; undefined if the rows are not at fault.
 */
export function rowFaultOf(error: unknown): string | undefined {
  if (!(error instanceof ClickHouseError) || !ROW_FAULTS.has(error.code)) return undefined;
  return error.type ?? error.code;
}

/** ClickHouse's error codes for a query that takes too long, reads too much, or needs too much memory. */
export const TOO_LARGE: ReadonlySet<string> = new Set(["159", "160", "241", "307", "396"]);

/** Runs work that uses the store. Any error that is not a CandorError becomes CandorError `store_away`. */
export async function whileStoreAnswers<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CandorError) throw error;
    throw new CandorError("store_away", { cause: causeOf(error) }, error);
  }
}
