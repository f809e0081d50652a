/** Splits a request's SQL into a statement and any rows that follow an INSERT. */
import { parseStatement, type RowsInsert, type TextStatement } from "./statement.ts";

/** A parsed statement. The rows of an INSERT remain bytes. */
export type Query =
  | { kind: "rows"; insert: RowsInsert; rows: Buffer }
  | { kind: "text"; statement: TextStatement; sql: string };

/**
 * Enough bytes for the beginning of an INSERT, but few enough that a large body of rows is not converted to a
 * string.
 */
const HEAD_BYTES = 64 * 1024;

/**
 * Parses a request's SQL. As in ClickHouse, this is the query in the URL, followed by the body on a new line.
 * @param urlSql the SQL in the URL, if any
 * @throws the same ClickHouseFaults as parseStatement
 */
export function parseQuery(urlSql: string | undefined, body: Buffer): Query {
  if (urlSql === undefined || urlSql.trim() === "") return insertAtHead(body) ?? parseSql(body.toString());
  if (body.length === 0) return parseSql(urlSql);
  const query = parseSql(urlSql);
  if (query.kind === "text") return parseSql(`${urlSql}\n${body.toString()}`);
  if (query.rows.length === 0) return { ...query, rows: body };
  return { ...query, rows: Buffer.concat([query.rows, Buffer.from("\n"), body]) };
}

function parseSql(sql: string): Query {
  const statement = parseStatement(sql);
  if (statement.kind === "text") return { kind: "text", statement, sql };
  return { kind: "rows", insert: statement, rows: Buffer.from(sql.slice(statement.dataAt)) };
}

function insertAtHead(body: Buffer): Query | undefined {
  if (body.length <= HEAD_BYTES) return undefined;
  const head = body.toString("utf8", 0, HEAD_BYTES);
  if (!/^\s*INSERT\b/i.test(head)) return undefined;
  const insert = parseStatement(head);
  if (insert.kind === "text") return undefined;
  return { kind: "rows", insert, rows: body.subarray(Buffer.byteLength(head.slice(0, insert.dataAt))) };
}
