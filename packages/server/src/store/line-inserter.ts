/** Inserts lines into the store, over HTTP or from a file that the embedded engine reads. */
import { Readable } from "node:stream";
import type { ClickHouseClient, ClickHouseSettings } from "@clickhouse/client";
import type { LineTarget } from "../row.ts";
import type { RowFiles } from "./row-files.ts";
import { quoteText } from "./sql-text.ts";

/**
 * Inserts lines as one block: all of them or none. The lines of one token are stored exactly once, however
 * often this is called, over HTTP or from a file.
 */
export type LineInserter = (
  target: LineTarget,
  lines: Buffer,
  token: string,
  signal?: AbortSignal,
) => Promise<void>;

/** Sends the lines to the store over HTTP, which is the only way to reach a server on another machine. */
export function sendLines(client: ClickHouseClient, settings: ClickHouseSettings): LineInserter {
  return async ({ table, columns }, lines, token, signal) => {
    await client.insert({
      table,
      columns: [columns[0] ?? "", ...columns.slice(1)],
      format: "TabSeparated",
      values: Readable.from([lines], { objectMode: false }),
      clickhouse_settings: { ...settings, ...VIEWS_ONCE, insert_deduplication_token: token },
      ...(signal === undefined ? {} : { abort_signal: signal }),
    });
  };
}

/**
 * Without this setting, a block that is sent again under its token would not be stored twice, but the views
 * over `events` would count it twice.
 */
const VIEWS_ONCE: ClickHouseSettings = { deduplicate_blocks_in_dependent_materialized_views: 1 };

/** More than a segment file can contain, so that all its rows form one block with one token. */
const ONE_BLOCK_ROWS = "1000000";
const ONE_BLOCK_BYTES = "1000000000";

/**
 * Makes reading, parsing and writing use one thread, and gives the file's columns the types of the table's
 * columns. The file is read and not mapped into memory, because a process that reads a mapped file is killed
 * if the file is truncated.
 */
const FILE_SETTINGS: ClickHouseSettings = {
  max_threads: 1,
  max_insert_threads: "1",
  input_format_parallel_parsing: 0,
  max_block_size: ONE_BLOCK_ROWS,
  min_insert_block_size_rows: ONE_BLOCK_ROWS,
  min_insert_block_size_bytes: ONE_BLOCK_BYTES,
  use_structure_from_insertion_table_in_table_functions: "1",
  storage_file_read_method: "pread",
  async_insert: 0,
};

/**
 * Lets the embedded engine read the lines from a file, so that no row passes through the JavaScript of the
 * engine's process (docs/decisions/0018). Falls back to `send` if no file can be written.
 */
export function insertByFile(client: ClickHouseClient, files: RowFiles, send: LineInserter): LineInserter {
  return async (target, lines, token, signal) => {
    const { table, columns } = target;
    const insert = async (path: string): Promise<void> => {
      await client.command({
        query: `INSERT INTO ${table} (${columns.join(", ")}) SELECT * FROM file(${quoteText(path)}, 'TabSeparated')`,
        clickhouse_settings: { ...FILE_SETTINGS, ...VIEWS_ONCE, insert_deduplication_token: token },
        ...(signal === undefined ? {} : { abort_signal: signal }),
      });
    };
    await (files.use(lines, insert) ?? send(target, lines, token, signal));
  };
}
