/** Defines the engine's limits, the settings of its queries and its configuration. */
import { availableParallelism } from "node:os";

const KiB = 1024;
const MiB = 1024 * KiB;

/** The largest request body, measured after inflating. */
export const MAX_BODY_BYTES = 64 * MiB;

/**
 * The greatest total length of request line and headers. It is ClickHouse's http_max_uri_size, because query
 * parameters are sent in the URL.
 */
export const MAX_HEADER_BYTES = 1 * MiB;

/**
 * How many reads and how many writes may run at the same time, and how many of each may wait. They are
 * counted separately, so that neither blocks the other.
 */
export const MAX_READS = 4;
export const MAX_WRITES = 2;
export const MAX_WAITING = 256;

/**
 * Number of idle sessions that are kept for later queries: one for each query that may run, and as many again
 * for other sets of parameters.
 */
export const MAX_IDLE_SESSIONS = 2 * (MAX_READS + MAX_WRITES);

/**
 * Native work blocks a thread of libuv's pool, so the pool needs enough threads for reads, writes, cancels
 * and probes.
 */
export const THREAD_POOL_SIZE = MAX_READS + MAX_WRITES + 4;

/** Settings of every query, unless the request overrides them. */
export const QUERY_SETTINGS: Readonly<Record<string, string>> = {
  max_memory_usage: "1500000000",
  max_threads: String(Math.min(4, availableParallelism())),
  // Parameters are sent as SET statements, which may be longer than an ordinary query.
  max_query_size: String(16 * MiB),
};

/**
 * Additional settings of every read, unless the request overrides them. The result's size is limited, because
 * the result is held in memory as a whole before it is returned.
 */
export const READ_SETTINGS: Readonly<Record<string, string>> = {
  max_execution_time: "60",
  max_result_bytes: String(256 * MiB),
  result_overflow_mode: "throw",
};

/**
 * Returns the engine's configuration. By default, ClickHouse uses caches of 5 GB each and nine tenths of the
 * machine's memory, but here the engine shares the machine with the ingest path. There is no `*_log` section:
 * without one, those system tables stay disabled and cannot fill the disk.
 * @param sections additional elements of the configuration
 */
export function serverConfigXml(sections = ""): string {
  const values = {
    max_server_memory_usage: 2_000_000_000,
    mark_cache_size: 32 * MiB,
    primary_index_cache_size: 32 * MiB,
    index_mark_cache_size: 8 * MiB,
    index_uncompressed_cache_size: 0,
    uncompressed_cache_size: 0,
    mmap_cache_size: 0,
    compiled_expression_cache_size: 16 * MiB,
    background_pool_size: 2,
    background_schedule_pool_size: 4,
    background_common_pool_size: 2,
    background_move_pool_size: 1,
    background_fetches_pool_size: 1,
    background_buffer_flush_schedule_pool_size: 1,
    background_message_broker_schedule_pool_size: 1,
    background_distributed_schedule_pool_size: 1,
  };
  const lines = Object.entries(values).map(([name, value]) => `  <${name}>${value}</${name}>`);
  return `<clickhouse>\n${lines.join("\n")}\n${sections}</clickhouse>\n`;
}
