/** Runs the maker's own SQL: one query that only reads, within limits of time, memory and size. */
import { Semaphore } from "@candor/envelope/concurrency";
import { isRecord } from "@candor/envelope/unknown-value";
import { ClickHouseError } from "@clickhouse/client";
import { CandorError, invalidQuery } from "../errors.ts";
import { type Store, TOO_LARGE, whileStoreAnswers } from "../store/client.ts";

const MAX_LENGTH = 20_000;
const MAX_SECONDS = 60;
const MAX_ROWS = 100_000;

const FORMATS = { csv: "CSVWithNames", ndjson: "JSONEachRow" } as const;

/**
 * What `readonly` does not stop: a SETTINGS clause in a subquery takes it back, INTO OUTFILE writes a file, `eval` runs
 * another text as a query, and some functions read files or ask other services. These words are refused wherever
 * they are, also in names and texts, so that nothing depends on reading comments and quotes as ClickHouse does.
 */
const FORBIDDEN =
  /settings|outfile|\beval\b|\bfile\b|catboostevaluate|\bai(?:classify|embed|extract|generate|translate)\b/i;

/**
 * `readonly` refuses every change, and every table function that reads a file, an address or a program. The other
 * settings leave room for ingest and reports.
 */
const SETTINGS = {
  readonly: "1",
  max_execution_time: MAX_SECONDS,
  max_memory_usage: "500000000",
  max_result_rows: String(MAX_ROWS),
  max_result_bytes: "64000000",
  result_overflow_mode: "throw",
  max_threads: 1,
  // Otherwise the ORDER BY of the query, which is a subquery here, would be removed.
  query_plan_remove_redundant_sorting: 0,
} as const;

export interface MakerSql {
  readonly query: string;
  readonly format: keyof typeof FORMATS;
}

/** Reads the body of a request to run SQL. @throws CandorError `query_invalid` */
export function readMakerSql(body: unknown): MakerSql {
  const { query, format = "csv", ...others } = isRecord(body) ? body : {};
  if (Object.keys(others).length > 0) throw invalidQuery('The body has "query" and "format", nothing else.');
  if (typeof query !== "string" || query.trim() === "" || query.length > MAX_LENGTH)
    throw invalidQuery(`query is a SELECT of at most ${MAX_LENGTH} characters.`);
  const forbidden = FORBIDDEN.exec(query);
  if (forbidden !== null)
    throw invalidQuery(`The word ${forbidden[0]} may not be in the query, not even in a name or a text.`);
  if (format !== "csv" && format !== "ndjson") throw invalidQuery("format is csv or ndjson.");
  return { query: query.trim().replace(/;$/, ""), format };
}

/** Runs a query, and resolves to its result as text. */
export type RunMakerSql = (sql: MakerSql) => Promise<string>;

/**
 * Creates a function that runs one query at a time; up to four wait. It throws CandorError `sql_failed` with
 * ClickHouse's own words, `sql_busy`, `store_away`.
 */
export function createMakerSql(store: Store): RunMakerSql {
  const running = new Semaphore({ permits: 1, maxWaiting: 4 });
  return ({ query, format }) => {
    // A subquery can have no clause that only the whole query has, such as FORMAT.
    const wrapped = `SELECT * FROM (\n${query}\n)`;
    const result = running.run(() =>
      whileStoreAnswers(async () => {
        try {
          return await store.queryText(wrapped, FORMATS[format], SETTINGS);
        } catch (error) {
          if (error instanceof ClickHouseError) throw toFault(error);
          throw error;
        }
      }),
    );
    if (result === undefined) throw new CandorError("sql_busy");
    return result;
  };
}

function toFault(error: ClickHouseError): CandorError {
  const why = TOO_LARGE.has(error.code)
    ? `it took longer than ${MAX_SECONDS} seconds, needed more than 500 MB, or has more than ${MAX_ROWS} rows or 64 MB. Add LIMIT, fewer days or fewer columns.`
    : error.message.split("\n")[0];
  return new CandorError("sql_failed", { why: why ?? "" }, error);
}
