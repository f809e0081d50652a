import { expect, test } from "vitest";
import { parseQuery } from "./query.ts";
import { quoteName, quoteString, sqlTokens, unquote } from "./sql-tokens.ts";
import { parseStatement } from "./statement.ts";

const reading = { kind: "text", does: "reads", format: undefined };

test.each([
  ["SELECT 1", reading],
  ["-- why\n/* a /* nested */ ; */ (SELECT 1) ;", reading],
  ["select ';', `;`, \";\", $x$ ; $x$, 'it''s \\'; ' -- ; end", reading],
  ["WITH 1 AS a SELECT a FORMAT JSONEachRow", { ...reading, format: "JSONEachRow" }],
  ["SELECT 1 format TSV settings max_threads = 1;", { ...reading, format: "TSV" }],
  ["SELECT format FROM t", reading],
  ["SELECT 'FORMAT CSV'", reading],
  ["CREATE TABLE t (a Int8) ENGINE = Memory", { ...reading, does: "changes" }],
  ["INSERT INTO t VALUES (1); (2)", { ...reading, does: "changes" }],
  ["INSERT INTO t SELECT 1", { ...reading, does: "inserts" }],
  ["INSERT INTO t (a) SELECT * FROM file('x', 'TSV') SETTINGS a = 1", { ...reading, does: "inserts" }],
])("%j is classified", (sql, expected) => {
  expect(parseStatement(sql)).toEqual(expected);
});

test("an INSERT of rows is parsed up to where its rows begin", () => {
  const header = "insert into table `db`.\"t\" (a, `b`) settings x = 'it''s', y=1 format JSONEachRow";
  const expected = {
    kind: "rows",
    table: "db.t",
    columns: ["a", "b"],
    settings: { x: "it's", y: "1" },
    format: "JSONEachRow",
  };
  expect(parseStatement(header)).toEqual({ ...expected, dataAt: header.length });
  expect(parseStatement(`${header} \r\n{"a":1}`)).toEqual({ ...expected, dataAt: header.length + 3 });
});

test.each([
  ["SELECT 1; SELECT 2", /Multi-statements are not allowed/],
  ["SELECT 1;; SELECT 2", /Multi-statements are not allowed/],
  [" -- nothing", /Empty query/],
  ["INSERT INTO t SELECT 1; SET max_threads = 9", /Multi-statements are not allowed/],
  ["INSERT INTO t FORMAT Native", /JSONEachRow/],
  ["INSERT INTO t (* EXCEPT (a)) FORMAT TSV", /plain tables and columns/],
  ["INSERT INTO `a b` FORMAT TSV", /letters, digits/],
])("%j is refused", (sql, message) => {
  expect(() => parseStatement(sql)).toThrow(message);
});

test("rows are passed on as unchanged bytes, wherever they begin", () => {
  const odd = Buffer.concat([Buffer.from([0xff, 0, 0x80]), Buffer.alloc(100_000, "ě")]);
  const rowsOf = (url: string | undefined, body: Buffer) => {
    const query = parseQuery(url, body);
    return query.kind === "rows" ? query.rows : undefined;
  };
  expect(rowsOf("INSERT INTO t FORMAT TSV", odd)?.equals(odd)).toBe(true);
  expect(
    rowsOf(undefined, Buffer.concat([Buffer.from("INSERT INTO t FORMAT TSV\n"), odd]))?.equals(odd),
  ).toBe(true);
  expect(rowsOf("INSERT INTO t FORMAT TSV 1", Buffer.from("2"))?.toString()).toBe("1\n2");
});

test("a quoted text or name is one token, and unquote returns the original", () => {
  for (const text of ["", "'", "\\", "\\'", 'a`b"c', "\n\t\0", "''"]) {
    for (const quoted of [quoteString(text), quoteName(text)]) {
      const tokens = [...sqlTokens(quoted)];
      expect(tokens.map((token) => unquote(token.text))).toEqual([text]);
    }
  }
});
