/** Owns the collector's metrics. */
import { Counter, Gauge, Registry } from "prom-client";
import { SOURCES, type Source } from "./config.ts";
import type { PlanCount } from "./enforce/plan-counts.ts";
import type { ErrorCode } from "./errors.ts";
import type { Dropped } from "./pipeline.ts";
import { DROP_REASONS, type DropReason } from "./reasons.ts";

/** Functions that return the values of other components. They are called when the metrics are read. */
export interface MeterSources {
  readonly log: () => {
    readonly rows: number;
    readonly bytes: number;
    readonly oldestMs: number | undefined;
  };
  readonly dedupe: () => { readonly keys: number; readonly bytes: number };
  readonly store: () => { readonly isUp: boolean; readonly engineRestarts: number };
  readonly planCounts: () => readonly Readonly<PlanCount>[];
  /** The last comparison of the rollups with the events. */
  readonly comparison: () => { readonly atMs: number; readonly differences: number } | undefined;
  readonly now: () => number;
}

/**
 * The counters of the running collector. The ingest path only adds plain numbers; prom-client formats them.
 */
export interface Meters {
  /**
   * Counts a request's messages; to be called once they are on disk. `source` is undefined if messages had
   * their own keys.
   */
  countMessages(source: Source | undefined, kept: number, dropped: readonly Dropped[]): void;
  /** Counts an error that ended a request or a connection. */
  countRefused(code: ErrorCode): void;
  countDrained(rows: number, blocks: number): void;
  countInsertRetry(): void;
  countQuarantined(rows: number): void;
  /** Returns the metrics in Prometheus's text format. */
  expose(): Promise<{ readonly contentType: string; readonly body: string }>;
}

export function createMeters(sources: MeterSources): Meters {
  const kept = new Map<string, number>();
  const dropped = new Map<DropReason, number>();
  const refused = new Map<ErrorCode, number>();
  const totals: Totals = { drainedRows: 0, drainedBlocks: 0, insertRetries: 0, quarantinedRows: 0 };
  for (const source of SOURCES) kept.set(source, 0);
  for (const reason of Object.keys(DROP_REASONS) as DropReason[]) dropped.set(reason, 0);

  const registry = new Registry();
  addCounter(registry, "candor_events_accepted_total", "Messages kept: flushed to the log.", "source", kept);
  addCounter(registry, "candor_events_dropped_total", "Messages not kept, by reason.", "reason", dropped);
  addCounter(
    registry,
    "candor_requests_refused_total",
    "Requests answered with an error, and connections closed.",
    "code",
    refused,
  );
  addTotals(registry, totals);
  addPlanCounter(registry, sources.planCounts);
  addGauges(registry, sources);
  return {
    countMessages: (source, rows, drops) => {
      add(kept, source ?? "by_message", rows);
      for (const { reason } of drops) add(dropped, reason, 1);
    },
    countRefused: (code) => add(refused, code, 1),
    countDrained: (rows, blocks) => {
      totals.drainedRows += rows;
      totals.drainedBlocks += blocks;
    },
    countInsertRetry: () => {
      totals.insertRetries += 1;
    },
    countQuarantined: (rows) => {
      totals.quarantinedRows += rows;
    },
    expose: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

interface Totals {
  drainedRows: number;
  drainedBlocks: number;
  insertRetries: number;
  quarantinedRows: number;
}

function addTotals(registry: Registry, totals: Totals): void {
  const all: readonly [name: string, help: string, read: () => number][] = [
    [
      "candor_drained_rows_total",
      "Rows that have left the log: stored, or quarantined.",
      () => totals.drainedRows,
    ],
    ["candor_drained_blocks_total", "Blocks that the store has acknowledged.", () => totals.drainedBlocks],
    ["candor_insert_retries_total", "Inserts that failed and were tried again.", () => totals.insertRetries],
    ["candor_quarantined_rows_total", "Rows that the store rejected.", () => totals.quarantinedRows],
  ];
  for (const [name, help, read] of all) addTotal(registry, name, help, read);
}

function add<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function addCounter(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  counts: ReadonlyMap<string, number>,
): void {
  new Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, count] of counts) this.inc({ [label]: value }, count);
    },
  });
}

function addPlanCounter(registry: Registry, read: MeterSources["planCounts"]): void {
  new Counter({
    name: "candor_plan_findings_total",
    help: "Messages from which the plan took something (at a declared path), or that it refused (path empty).",
    labelNames: ["source", "event", "path", "reason"],
    registers: [registry],
    collect() {
      this.reset();
      for (const { source, event, path, reason, count } of read())
        this.inc({ source, event, path, reason }, count);
    },
  });
}

function addTotal(registry: Registry, name: string, help: string, read: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

function addGauges(registry: Registry, { log, dedupe, store, comparison, now }: MeterSources): void {
  const gauges: readonly [name: string, help: string, read: () => number][] = [
    ["candor_log_pending_rows", "Rows in the log that wait for the store.", () => log().rows],
    ["candor_log_pending_bytes", "Bytes of the log on disk.", () => log().bytes],
    [
      "candor_log_oldest_seconds",
      "Age of the oldest waiting row.",
      () => (now() - (log().oldestMs ?? now())) / 1000,
    ],
    ["candor_dedupe_keys", "Messages remembered against doubling.", () => dedupe().keys],
    ["candor_dedupe_memory_bytes", "Memory that this takes, about.", () => dedupe().bytes],
    ["candor_store_up", "1 when the store took the last insert.", () => (store().isUp ? 1 : 0)],
    [
      "candor_engine_restarts",
      "Times that the embedded engine was started again.",
      () => store().engineRestarts,
    ],
    [
      "candor_rollups_compared_seconds",
      "When the rollups were last compared with the events, epoch seconds; 0 if not since the start.",
      () => (comparison()?.atMs ?? 0) / 1000,
    ],
    [
      "candor_rollup_differences",
      "Differences that this comparison found.",
      () => comparison()?.differences ?? 0,
    ],
    ["candor_resident_memory_bytes", "Resident memory of the collector.", () => process.memoryUsage.rss()],
  ];
  for (const [name, help, read] of gauges) {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  }
}
