/** Splits SQL into tokens, and quotes and unquotes strings and names. */

/**
 * A token of SQL. `name` is an identifier in backquotes or double quotes; `symbol` is any other single
 * character.
 */
export interface Token {
  kind: "word" | "number" | "string" | "name" | "symbol";
  text: string;
  start: number;
  end: number;
}

const SPACE_OR_COMMENT = /(?:\s+|--[^\n]*|#[ !][^\n]*)+/y;
const WORD = /[A-Za-z_]\w*/y;
const NUMBER = /\d[\w.]*(?:(?<=[eE])[+-]\d+)?/y;
const HEREDOC_TAG = /\$\w*\$/y;

/**
 * Splits SQL into tokens, lazily, by ClickHouse's lexical rules (Lexer.cpp). This is enough to find the end
 * of a statement and the words with which it begins, without being misled by quotes and comments. Never
 * throws: an unclosed quote or comment extends to the end, and the engine reports the error.
 */
export function* sqlTokens(sql: string): Generator<Token> {
  let at = skipBlank(sql, 0);
  while (at < sql.length) {
    const token = tokenAt(sql, at);
    yield token;
    at = skipBlank(sql, token.end);
  }
}

function skipBlank(sql: string, from: number): number {
  let at = from;
  for (;;) {
    SPACE_OR_COMMENT.lastIndex = at;
    if (SPACE_OR_COMMENT.test(sql)) at = SPACE_OR_COMMENT.lastIndex;
    else if (sql.startsWith("/*", at)) at = endOfBlockComment(sql, at);
    else return at;
  }
}

/** Returns where a block comment ends. ClickHouse's block comments can be nested. */
function endOfBlockComment(sql: string, from: number): number {
  let depth = 0;
  for (let at = from; at < sql.length; at++) {
    if (sql.startsWith("/*", at)) {
      depth++;
      at++;
    } else if (sql.startsWith("*/", at)) {
      depth--;
      at++;
      if (depth === 0) return at + 1;
    }
  }
  return sql.length;
}

function tokenAt(sql: string, start: number): Token {
  const make = (kind: Token["kind"], end: number): Token => ({
    kind,
    text: sql.slice(start, end),
    start,
    end,
  });
  const first = sql[start];
  if (first === "'") return make("string", endOfQuoted(sql, start, "'"));
  if (first === "`" || first === '"') return make("name", endOfQuoted(sql, start, first));
  for (const [kind, pattern] of [
    ["word", WORD],
    ["number", NUMBER],
  ] as const) {
    pattern.lastIndex = start;
    if (pattern.test(sql)) return make(kind, pattern.lastIndex);
  }
  HEREDOC_TAG.lastIndex = start;
  const tag = HEREDOC_TAG.exec(sql)?.[0];
  if (tag !== undefined) {
    const close = sql.indexOf(tag, start + tag.length);
    if (close >= 0) return make("string", close + tag.length);
  }
  return make("symbol", start + 1);
}

/** Returns where a quoted token ends. A quote inside it is doubled or preceded by a backslash. */
function endOfQuoted(sql: string, start: number, quote: string): number {
  for (let at = start + 1; at < sql.length; at++) {
    if (sql[at] === "\\") at++;
    else if (sql[at] === quote) {
      if (sql[at + 1] !== quote) return at + 1;
      at++;
    }
  }
  return sql.length;
}

/** Returns the text of a quoted token, without its quotes and escapes. */
export function unquote(quoted: string): string {
  const quote = quoted[0] ?? "";
  const escapes: Record<string, string> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", "0": "\0" };
  return quoted
    .slice(1, -1)
    .replace(/\\(.)|(['"`])\2/gs, (pair, escaped: string | undefined, doubled: string | undefined) => {
      if (escaped !== undefined) return escapes[escaped] ?? escaped;
      return doubled === quote ? quote : pair;
    });
}

/** Returns a text, which may contain any character, as an SQL string literal. */
export function quoteString(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&").replaceAll("\0", "\\0")}'`;
}

/** Returns a name, which may contain any character, as a quoted SQL identifier. */
export function quoteName(name: string): string {
  return `\`${name.replace(/[\\`]/g, "\\$&").replaceAll("\0", "\\0")}\``;
}
