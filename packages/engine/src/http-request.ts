/** Parses the URL and headers of a request to the engine. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { fault } from "./errors.ts";

/** The query that a request's URL and headers describe. */
export interface QueryRequest {
  /** The SQL in the URL, to which the body is appended; undefined if the body is the SQL. */
  query: string | undefined;
  queryId: string;
  database: string | undefined;
  /** The result format for statements without a FORMAT clause. */
  defaultFormat: string;
  settings: Record<string, string>;
  /** `{name:Type}` parameters, in ClickHouse's escaped text form. */
  params: Record<string, string>;
}

/**
 * URL parameters of ClickHouse's HTTP interface that mean nothing here: the socket's owner is the only user,
 * and answers are never streamed.
 */
const IGNORED = new Set([
  "user",
  "password",
  "quota_key",
  "wait_end_of_query",
  "buffer_size",
  "stacktrace",
  "client_protocol_version",
]);

/**
 * URL parameters that would change the meaning of a request. They are rejected, unless they are empty or `0`.
 */
const REFUSED = new Set([
  "session_id",
  "session_timeout",
  "session_check",
  "close_session",
  "role",
  "compress",
  "decompress",
]);

const NAME = /^[A-Za-z_]\w*$/;

/** Parses a request's URL and headers. @throws ClickHouseFault BAD_ARGUMENTS, NOT_IMPLEMENTED */
export function parseRequest(url: URL, request: IncomingMessage): QueryRequest {
  if (request.headers["content-type"]?.startsWith("multipart/")) {
    throw fault.notImplemented("The embedded engine takes query parameters in the URL only");
  }
  const parsed: QueryRequest = {
    query: undefined,
    queryId: randomUUID(),
    database: header(request, "x-clickhouse-database"),
    defaultFormat: header(request, "x-clickhouse-format") ?? "TabSeparated",
    settings: {},
    params: {},
  };
  for (const [name, value] of url.searchParams) take(parsed, name, value);
  if (!/^\w+$/.test(parsed.defaultFormat)) throw fault.badArguments("default_format is not a format's name");
  return parsed;
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function take(parsed: QueryRequest, name: string, value: string): void {
  if (name === "query") parsed.query = value;
  else if (name === "query_id") parsed.queryId = value === "" ? parsed.queryId : value;
  else if (name === "database") parsed.database = value === "" ? undefined : value;
  else if (name === "default_format") parsed.defaultFormat = value;
  else if (IGNORED.has(name)) return;
  else if (REFUSED.has(name)) takeRefused(name, value);
  else if (!NAME.test(name)) {
    throw fault.badArguments(`${JSON.stringify(name)} is neither a parameter's nor a setting's name`);
  } else if (name.startsWith("param_")) parsed.params[name.slice("param_".length)] = value;
  else parsed.settings[name] = value;
}

function takeRefused(name: string, value: string): void {
  if (value !== "" && value !== "0") {
    throw fault.notImplemented(`The embedded engine does not know the URL parameter ${name}`);
  }
}
