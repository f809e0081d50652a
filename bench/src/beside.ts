/** The benchmark's `beside` part: how much ingest and reports slow each other down. */
import { randomUUID } from "node:crypto";
import { type Collector, writeKeys } from "./collector.ts";
import { recordLatencies } from "./latencies.ts";
import { type LoadResult, runLoad } from "./load-options.ts";
import { readReport, untilDrained } from "./read-api.ts";

export type BesideOptions = {
  readonly durationMs: number;
  readonly warmupMs: number;
  /** A prefix for each load, as in `LoadOptions`. */
  readonly nextIdPrefix: () => string;
};

export type BesideFigures = {
  /** As many events as are answered, without reports and while reports run one after another. */
  readonly alone: LoadResult;
  readonly beside: LoadResult;
  /** A steady load while reports run one after another. */
  readonly steady: LoadResult;
  /** The reports beside the steady load. */
  readonly reports: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
};

const INSTANCES = 10_000;
const DAYS = 28;
const DAY_MS = 86_400_000;
const PER_REQUEST = 500;
const EVENTS_PER_SECOND = 5000;
const DRAIN_WITHIN_MS = 600_000;
const REPORTS = ["overview", "instances", "versions", "facts", "features?by=pluginName", "installs"];

/** Measures with 10,000 instances that have sent a heartbeat on each of the last 28 days. */
export async function measureBeside(collector: Collector, options: BesideOptions): Promise<BesideFigures> {
  await sendHeartbeats(collector);
  await untilDrained(collector, DRAIN_WITHIN_MS);
  const alone = await load(collector, options);
  await untilDrained(collector, DRAIN_WITHIN_MS);
  const { result: beside } = await whileAsking(collector, load(collector, options));
  await untilDrained(collector, DRAIN_WITHIN_MS);
  const paced = load(collector, { ...options, eventsPerSecond: EVENTS_PER_SECOND });
  const { result: steady, latencies } = await whileAsking(collector, paced);
  const [p50Ms = 0, p95Ms = 0] = latencies.percentiles([0.5, 0.95]);
  return { alone, beside, steady, reports: latencies.count(), p50Ms, p95Ms };
}

function load(
  { url }: Collector,
  { nextIdPrefix, ...options }: BesideOptions & { readonly eventsPerSecond?: number },
): Promise<LoadResult> {
  return runLoad({ url, batchSize: 100, writeKey: writeKeys.server, idPrefix: nextIdPrefix(), ...options });
}

/** Asks for one report after another until the load ends. */
async function whileAsking(collector: Collector, loaded: Promise<LoadResult>) {
  const latencies = recordLatencies(4096);
  let isLoading = true;
  const ended = loaded.finally(() => {
    isLoading = false;
  });
  ended.catch(() => {}); // awaited below
  for (let n = 0; isLoading; n++) {
    const askedAt = performance.now();
    await readReport(collector, REPORTS[n % REPORTS.length] ?? "");
    latencies.record(performance.now() - askedAt);
  }
  return { result: await ended, latencies };
}

async function sendHeartbeats({ url }: Collector): Promise<void> {
  const ids = Array.from({ length: INSTANCES }, () => randomUUID());
  for (let day = DAYS - 1; day >= 0; day--)
    for (let from = 0; from < INSTANCES; from += PER_REQUEST) {
      const timestamp = new Date(Date.now() - day * DAY_MS).toISOString();
      const batch = ids.slice(from, from + PER_REQUEST).map((id, n) => heartbeat(id, from + n, timestamp));
      const response = await fetch(`${url}/v1/batch`, {
        method: "POST",
        headers: { authorization: `Basic ${Buffer.from(`${writeKeys.server}:`).toString("base64")}` },
        body: JSON.stringify({ batch, sentAt: new Date().toISOString() }),
      });
      const answer = await response.text();
      if (!answer.includes('"success":true') || answer.includes('"reason"'))
        throw new Error(`heartbeats were answered ${response.status}: ${answer.slice(0, 500)}`);
    }
}

function heartbeat(id: string, n: number, timestamp: string) {
  const properties = {
    ...{ instanceId: id, version: `1.${n % 7}.0`, edition: "community" },
    ...{ os: n % 3 === 0 ? "darwin" : "linux", arch: n % 2 === 0 ? "x64" : "arm64" },
  };
  return {
    type: "track",
    event: "Instance Active",
    anonymousId: id,
    messageId: randomUUID(),
    timestamp,
    properties,
  };
}
