/** Owns the collector's metrics. */
import { Counter, Gauge, Registry } from "prom-client";
import { SOURCES, type Source } from "./config.ts";
import type { PlanCount } from "./enforce/plan-counts.ts";
import type { ErrorCode } from "./errors.ts";
import type { Dropped } from "./pipeline.ts";
import { DROP_REASONS, type DropReason } from "./reasons.ts";

/** Functions that return the values of a product's other parts. They are called when the metrics are read. */
export interface ProductReadings {
  readonly log: () => {
    readonly rows: number;
    readonly bytes: number;
    readonly oldestMs: number | undefined;
  };
  readonly dedupe: () => { readonly keys: number; readonly bytes: number };
  readonly isStoreUp: () => boolean;
  readonly planCounts: () => readonly Readonly<PlanCount>[];
  /** The last comparison of the rollups with the events. */
  readonly comparison: () => { readonly atMs: number; readonly differences: number } | undefined;
}

/** The counters of one product. Its parts only add plain numbers; prom-client formats them. */
export interface ProductMeters {
  /**
   * Counts a request's messages; to be called once they are on disk. `source` is undefined if messages had
   * their own keys.
   */
  countMessages(source: Source | undefined, kept: number, dropped: readonly Dropped[]): void;
  countDrained(rows: number, blocks: number): void;
  countInsertRetry(): void;
  countQuarantined(rows: number): void;
}

/** The counters of the running collector. */
export interface Meters {
  /** Adds a product. `product` is its name, which becomes a label; undefined if there is only one product. */
  addProduct(product: string | undefined, readings: ProductReadings): ProductMeters;
  /** Counts an error that ended a request or a connection. */
  countRefused(code: ErrorCode): void;
  /** Returns the metrics in Prometheus's text format. */
  expose(): Promise<{ readonly contentType: string; readonly body: string }>;
}

export interface MeterOptions {
  /** How often the embedded engine was started again. */
  readonly engineRestarts: () => number;
  readonly now: () => number;
}

/** A product's counts. */
interface Counts {
  readonly product: string | undefined;
  readonly readings: ProductReadings;
  readonly kept: Map<string, number>;
  readonly dropped: Map<DropReason, number>;
  drainedRows: number;
  drainedBlocks: number;
  insertRetries: number;
  quarantinedRows: number;
}

export function createMeters({ engineRestarts, now }: MeterOptions): Meters {
  const products: Counts[] = [];
  const refused = new Map<ErrorCode, number>();
  const registry = new Registry();
  const register = (metric: Metric): void => addMetric(registry, metric);
  for (const metric of productMetrics(products, now)) register(metric);
  register({
    kind: Counter,
    name: "candor_requests_refused_total",
    help: "Requests answered with an error, and connections closed.",
    labels: ["code"],
    read: () => [...refused].map(([code, count]) => [{ code }, count]),
  });
  register({
    kind: Gauge,
    name: "candor_engine_restarts",
    help: "Times that the embedded engine was started again.",
    labels: [],
    read: () => [[{}, engineRestarts()]],
  });
  register({
    kind: Gauge,
    name: "candor_resident_memory_bytes",
    help: "Resident memory of the collector.",
    labels: [],
    read: () => [[{}, process.memoryUsage.rss()]],
  });
  return {
    addProduct: (product, readings) => {
      const counts: Counts = {
        product,
        readings,
        kept: new Map(SOURCES.map((source) => [source, 0])),
        dropped: new Map((Object.keys(DROP_REASONS) as DropReason[]).map((reason) => [reason, 0])),
        drainedRows: 0,
        drainedBlocks: 0,
        insertRetries: 0,
        quarantinedRows: 0,
      };
      products.push(counts);
      return countersOf(counts);
    },
    countRefused: (code) => add(refused, code, 1),
    expose: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

function countersOf(counts: Counts): ProductMeters {
  return {
    countMessages: (source, rows, drops) => {
      add(counts.kept, source ?? "by_message", rows);
      for (const { reason } of drops) add(counts.dropped, reason, 1);
    },
    countDrained: (rows, blocks) => {
      counts.drainedRows += rows;
      counts.drainedBlocks += blocks;
    },
    countInsertRetry: () => {
      counts.insertRetries += 1;
    },
    countQuarantined: (rows) => {
      counts.quarantinedRows += rows;
    },
  };
}

function add<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

interface Metric {
  readonly kind: typeof Counter | typeof Gauge;
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: () => readonly Sample[];
}

function addMetric(registry: Registry, { kind, name, help, labels, read }: Metric): void {
  new kind({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      this.reset();
      for (const [sampleLabels, value] of read()) this.inc(sampleLabels, value);
    },
  });
}

type ReadProduct = (counts: Counts) => readonly Sample[];

/** The metrics that each product has. With several products, they have the label `product`. */
function productMetrics(products: readonly Counts[], now: () => number): Metric[] {
  const readAll = (read: ReadProduct) => (): readonly Sample[] =>
    products.flatMap((counts) =>
      read(counts).map(([labels, value]): Sample => {
        const { product } = counts;
        return [product === undefined ? labels : { product, ...labels }, value];
      }),
    );
  return PRODUCT_METRICS.map(([kind, name, help, labels, read]) => ({
    kind,
    name,
    help,
    labels: ["product", ...labels],
    read: readAll((counts) => read(counts, now())),
  }));
}

const one = (value: number): readonly Sample[] => [[{}, value]];

const PRODUCT_METRICS: readonly (readonly [
  kind: Metric["kind"],
  name: string,
  help: string,
  labels: readonly string[],
  read: (counts: Counts, nowMs: number) => readonly Sample[],
])[] = [
  [
    Counter,
    "candor_events_accepted_total",
    "Messages kept: flushed to the log.",
    ["source"],
    ({ kept }) => [...kept].map(([source, count]) => [{ source }, count]),
  ],
  [
    Counter,
    "candor_events_dropped_total",
    "Messages not kept, by reason.",
    ["reason"],
    ({ dropped }) => [...dropped].map(([reason, count]) => [{ reason }, count]),
  ],
  [
    Counter,
    "candor_drained_rows_total",
    "Rows that have left the log: stored, or quarantined.",
    [],
    ({ drainedRows }) => one(drainedRows),
  ],
  [
    Counter,
    "candor_drained_blocks_total",
    "Blocks that the store has acknowledged.",
    [],
    ({ drainedBlocks }) => one(drainedBlocks),
  ],
  [
    Counter,
    "candor_insert_retries_total",
    "Inserts that failed and were tried again.",
    [],
    ({ insertRetries }) => one(insertRetries),
  ],
  [
    Counter,
    "candor_quarantined_rows_total",
    "Rows that the store rejected.",
    [],
    ({ quarantinedRows }) => one(quarantinedRows),
  ],
  [
    Counter,
    "candor_plan_findings_total",
    "Messages from which the plan took something (at a declared path), or that it refused (path empty).",
    ["source", "event", "path", "reason"],
    ({ readings }) =>
      readings
        .planCounts()
        .map(({ count, source, event, path, reason }) => [{ source, event, path, reason }, count]),
  ],
  [
    Gauge,
    "candor_log_pending_rows",
    "Rows in the log that wait for the store.",
    [],
    ({ readings }) => one(readings.log().rows),
  ],
  [
    Gauge,
    "candor_log_pending_bytes",
    "Bytes of the log on disk.",
    [],
    ({ readings }) => one(readings.log().bytes),
  ],
  [
    Gauge,
    "candor_log_oldest_seconds",
    "Age of the oldest waiting row.",
    [],
    ({ readings }, nowMs) => one((nowMs - (readings.log().oldestMs ?? nowMs)) / 1000),
  ],
  [
    Gauge,
    "candor_dedupe_keys",
    "Messages remembered against doubling.",
    [],
    ({ readings }) => one(readings.dedupe().keys),
  ],
  [
    Gauge,
    "candor_dedupe_memory_bytes",
    "Memory that this takes, about.",
    [],
    ({ readings }) => one(readings.dedupe().bytes),
  ],
  [
    Gauge,
    "candor_store_up",
    "1 when the store took the last insert.",
    [],
    ({ readings }) => one(readings.isStoreUp() ? 1 : 0),
  ],
  [
    Gauge,
    "candor_rollups_compared_seconds",
    "When the rollups were last compared with the events, epoch seconds; 0 if not since the start.",
    [],
    ({ readings }) => one((readings.comparison()?.atMs ?? 0) / 1000),
  ],
  [
    Gauge,
    "candor_rollup_differences",
    "Differences that this comparison found.",
    [],
    ({ readings }) => one(readings.comparison()?.differences ?? 0),
  ],
];
