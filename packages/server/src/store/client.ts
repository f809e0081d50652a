/** The one ClickHouse client, for the embedded engine, a server or a cluster. */
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

export const DATABASE = "candor";
/** On a cluster, the database whose tables span all nodes. */
export const CLUSTER_DATABASE = "candor_all";

const REQUEST_TIMEOUT_MS = 60_000;

/**
 * Where ClickHouse listens: the embedded engine's socket, or the addresses of one server or of a cluster's nodes.
 * With `rowsDir`, a folder that no other process uses, the engine reads lines from files in it.
 */
export type StoreAddress =
  | { readonly socketPath: string; readonly rowsDir?: string }
  | { readonly urls: readonly string[]; readonly cluster: string | undefined };

/** Values for a query, by name: `{name:Type}` in the SQL. */
export type QueryParams = Readonly<Record<string, string | number | readonly string[]>>;

/** The store: one ClickHouse behind one client, whichever it is. All methods reject while it is away. */
export interface Store {
  /** Runs a statement without result on every node. */
  command(sql: string, database?: string): Promise<void>;
  /** Inserts lines. Exactly once per token, however often it is called with the same lines. */
  readonly insertLines: LineInserter;
  /** Inserts objects of column name to value. A repeated call inserts them again. */
  insertRows(table: string, rows: readonly object[]): Promise<void>;
  /** Like `insertRows`, on every node, into its own table and not over the cluster. */
  insertRowsEverywhere(table: string, rows: readonly object[]): Promise<void>;
  query(sql: string, params?: QueryParams): Promise<Record<string, unknown>[]>;
  /** Each node's own rows: what it says of itself. */
  queryEveryNode(sql: string): Promise<Record<string, unknown>[][]>;
  readonly cluster: string | undefined;
  close(): Promise<void>;
}

export function openStore(address: StoreAddress): Store {
  const cluster = "urls" in address ? address.cluster : undefined;
  const nodes =
    "urls" in address
      ? address.urls.map((url) => connectTo(() => ({ url })))
      : [connectTo(() => socketOptions(address.socketPath))];
  const spanning = nodes[0]?.(cluster === undefined ? DATABASE : CLUSTER_DATABASE);
  if (spanning === undefined) throw new Error("a store has at least one address");
  // Asynchronous inserts, the default since ClickHouse 26, ignore deduplication tokens.
  const insertSettings = {
    async_insert: 0 as const,
    ...(cluster === undefined ? {} : { distributed_foreground_insert: 1 as const }),
  };
  const send = sendLines(spanning, insertSettings);
  const rowsDir = "socketPath" in address ? address.rowsDir : undefined;
  return {
    cluster,
    command: async (query, database = DATABASE) => {
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
      for (const node of nodes)
        await node(DATABASE).insert({ table, format: "JSONEachRow", values: [...rows] });
    },
    query: async (query, params = {}) => {
      const result = await spanning.query({ query, query_params: params, format: "JSONEachRow" });
      return result.json<Record<string, unknown>>();
    },
    queryEveryNode: (query) =>
      Promise.all(
        nodes.map(async (node) => {
          const result = await node(DATABASE).query({ query, format: "JSONEachRow" });
          return result.json<Record<string, unknown>>();
        }),
      ),
    close: async () => {
      for (const node of nodes) await node.close();
    },
  };
}

/** One server's clients, one for each database, made when first asked for. */
interface Node {
  (database: string): ClickHouseClient;
  close(): Promise<void>;
}

/**
 * @param optionsOf called for each client: a client closes idle sockets of its agent, even those that another client
 * uses
 */
function connectTo(optionsOf: () => ClientOptions): Node {
  const clients = new Map<string, ClickHouseClient>();
  const client = (database: string): ClickHouseClient => {
    const known = clients.get(database);
    // The client would log failed requests to the console; here the code that made the request is told once.
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

/** Reads a file of `sql/`. One file per query. */
export function readSql(name: string): string {
  return readFileSync(new URL(`../../sql/${name}`, import.meta.url), "utf8");
}

/**
 * ClickHouse's codes that concern the rows that were sent: only these rows are quarantined. Every other failure is
 * the store's own (away, full, overloaded, misconfigured), and the same block is retried until it is taken.
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

/** The store's name for what is wrong with the rows themselves; undefined if the rows are not at fault. */
export function rowFaultOf(error: unknown): string | undefined {
  if (!(error instanceof ClickHouseError) || !ROW_FAULTS.has(error.code)) return undefined;
  return error.type ?? error.code;
}

/** Runs work with the store; what the client throws becomes CandorError `store_away`. */
export async function whileStoreAnswers<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CandorError) throw error;
    throw new CandorError("store_away", { cause: causeOf(error) }, error);
  }
}
