/**
 * Classifies SQL statements as reads, inserts and changes, and parses each INSERT that is followed by rows.
 */
import type { RawInsertFormat } from "chdb";
import { fault } from "./errors.ts";
import { INSERT_FORMATS, rawInsertFormat } from "./formats.ts";
import { sqlTokens, type Token, unquote } from "./sql-tokens.ts";

/**
 * An INSERT that is followed by rows in a format. `dataAt` is the position in the text at which the rows
 * begin.
 */
export interface RowsInsert {
  kind: "rows";
  table: string;
  columns: string[] | undefined;
  settings: Record<string, string>;
  format: RawInsertFormat;
  dataAt: number;
}

/**
 * Any other statement, which is run unchanged. `format` is that of a FORMAT clause at its end; undefined
 * without one, and for every INSERT.
 */
export interface TextStatement {
  kind: "text";
  /**
   * `reads`: the statement changes nothing. `inserts`: it adds the rows that a query returns. `changes`:
   * everything else, which may also change the session.
   */
  does: "reads" | "inserts" | "changes";
  format: string | undefined;
}

export type Statement = RowsInsert | TextStatement;

const READING = new Set(["SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "("]);

/**
 * Classifies a statement. Like ClickHouse's HTTP interface, rejects a second statement after the first.
 * Otherwise a migration could succeed on the embedded store and fail on a cluster.
 * @throws ClickHouseFault SYNTAX_ERROR, NOT_IMPLEMENTED
 */
export function parseStatement(sql: string): Statement {
  const tokens = sqlTokens(sql);
  const first = tokens.next();
  if (first.done) throw fault.syntax("Empty query");
  if (isWord(first.value, "INSERT")) {
    return parseInsert(sql) ?? { kind: "text", does: parseOtherInsert(sql), format: undefined };
  }
  const format = checkSingle(first.value, tokens);
  const does = READING.has(first.value.text.toUpperCase()) ? "reads" : "changes";
  return { kind: "text", does, format };
}

/**
 * Distinguishes INSERT ... SELECT from other INSERTs. The search ends at VALUES, because that is followed by
 * data and not by SQL.
 */
function parseOtherInsert(sql: string): "inserts" | "changes" {
  const tokens = sqlTokens(sql);
  for (const token of tokens) {
    if (isWord(token, "VALUES")) return "changes";
    if (isWord(token, "SELECT")) {
      checkSingle(token, tokens);
      return "inserts";
    }
  }
  return "changes";
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === "word" && token.text.toUpperCase() === word;
}

/** Reads the whole statement and rejects a second one. @returns the format named at its end */
function checkSingle(first: Token, rest: Generator<Token>): string | undefined {
  let format: string | undefined;
  let before: Token | undefined;
  let last = first;
  for (const token of rest) {
    if (last.text === ";") {
      throw fault.syntax(
        `Syntax error (Multi-statements are not allowed): failed at position ${last.start + 1}`,
      );
    }
    if (isWord(before, "FORMAT") && last.kind === "word") {
      format = token.text === ";" || isWord(token, "SETTINGS") ? last.text : undefined;
    }
    before = last;
    last = token;
  }
  return isWord(before, "FORMAT") && last.kind === "word" ? last.text : format;
}

interface Cursor {
  peek(): Token | undefined;
  next(): Token | undefined;
}

function cursorOver(tokens: Generator<Token>): Cursor {
  let ahead = tokens.next();
  return {
    peek: () => (ahead.done ? undefined : ahead.value),
    next() {
      const token = ahead.done ? undefined : ahead.value;
      if (!ahead.done) ahead = tokens.next();
      return token;
    },
  };
}

/**
 * Parses `INSERT [INTO] [TABLE] name [(columns)] [SETTINGS a = b, ...] FORMAT name data`. Returns undefined
 * for other kinds of INSERT, which the engine runs as text.
 * @throws ClickHouseFault NOT_IMPLEMENTED if the format, a name or a clause is not supported
 */
function parseInsert(sql: string): RowsInsert | undefined {
  const cursor = cursorOver(sqlTokens(sql));
  cursor.next();
  if (isWord(cursor.peek(), "INTO")) cursor.next();
  if (isWord(cursor.peek(), "TABLE")) cursor.next();
  const intoFunction = isWord(cursor.peek(), "FUNCTION");
  const table = intoFunction ? undefined : parseTable(cursor);
  if (table === undefined) return undefined;
  const columns = cursor.peek()?.text === "(" ? parseColumns(cursor) : undefined;
  const settings = isWord(cursor.peek(), "SETTINGS") ? parseSettings(cursor) : {};
  const clause = cursor.next();
  if (!isWord(clause, "FORMAT") || clause === undefined) return undefined;
  const [name = "", end = sql.length] = wordAfter(sql, clause.end);
  if (name.toUpperCase() === "VALUES") return undefined;
  const format = rawInsertFormat(name);
  if (format === undefined || columns === "other" || settings === undefined) {
    throw fault.notImplemented(
      `The embedded engine inserts rows into plain tables and columns, in these formats: ${INSERT_FORMATS.join(", ")}`,
    );
  }
  return { kind: "rows", table, columns, settings, format, dataAt: dataStart(sql, end) };
}

/**
 * Returns the word after `from` and the position of its end; an empty array if no word follows. Does not read
 * any further, because data and not SQL follows.
 */
function wordAfter(sql: string, from: number): [string, number] | [] {
  const pattern = /\s*(\w+)/y;
  pattern.lastIndex = from;
  const match = pattern.exec(sql);
  return match?.[1] === undefined ? [] : [match[1], pattern.lastIndex];
}

/**
 * Returns where the data begins. As in ClickHouse's ParserInsertQuery, the spaces, a semicolon and one line
 * break after the format's name belong to the SQL.
 */
function dataStart(sql: string, from: number): number {
  const pattern = /[ \t\f]*;?[ \t\f]*\r?\n?/y;
  pattern.lastIndex = from;
  pattern.test(sql);
  return pattern.lastIndex;
}

const PLAIN_NAME = /^\w+$/;

function parseName(token: Token | undefined): string | undefined {
  if (token?.kind === "word") return token.text;
  return token?.kind === "name" ? unquote(token.text) : undefined;
}

function parseTable(cursor: Cursor): string | undefined {
  const parts = [parseName(cursor.next())];
  if (cursor.peek()?.text === ".") {
    cursor.next();
    parts.push(parseName(cursor.next()));
  }
  if (parts.some((part) => part === undefined)) return undefined;
  if (!parts.every((part) => PLAIN_NAME.test(part ?? ""))) {
    throw fault.notImplemented("The embedded engine inserts into tables named by letters, digits and _ only");
  }
  return parts.join(".");
}

/** Returns the column names, or `other` for anything but a list of plain names, such as `(* EXCEPT (a))`. */
function parseColumns(cursor: Cursor): string[] | "other" {
  cursor.next();
  const columns: string[] = [];
  let depth = 1;
  let plain = true;
  for (let token = cursor.next(); token !== undefined; token = cursor.next()) {
    if (token.text === "(") depth++;
    else if (token.text === ")") depth--;
    if (depth === 0) break;
    const name = parseName(token);
    if (name !== undefined && /^\w+(\.\w+)*$/.test(name)) columns.push(name);
    else if (token.text !== ",") plain = false;
  }
  return plain ? columns : "other";
}

function parseSettings(cursor: Cursor): Record<string, string> | undefined {
  const settings: Record<string, string> = {};
  do {
    cursor.next();
    const name = cursor.next();
    const equals = cursor.next();
    const value = cursor.next();
    if (name?.kind !== "word" || equals?.text !== "=" || value === undefined || value.kind === "symbol")
      return undefined;
    settings[name.text] = value.kind === "string" ? unquote(value.text) : value.text;
  } while (cursor.peek()?.text === ",");
  return settings;
}
