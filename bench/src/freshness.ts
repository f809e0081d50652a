/** The benchmark's `freshness` part: how long until an acknowledged event can be read. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Collector, writeKeys } from "./collector.ts";
import { recordLatencies } from "./latencies.ts";
import { type LoadResult, runLoad } from "./load-options.ts";
import { countEvents } from "./read-api.ts";
import { usageEvents, usageFleet } from "./usage-event.ts";

export type FreshnessOptions = {
  readonly eventsPerSecond: number;
  readonly durationMs: number;
  readonly warmupMs: number;
  readonly idPrefix: string;
};

export type FreshnessFigures = {
  readonly load: LoadResult;
  readonly probes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The median time of one GET /api/count. Each delay includes at least one such request. */
  readonly queryP50Ms: number;
};

const PROBE_EVERY_MS = 200;
const POLL_EVERY_MS = 20;
const GIVE_UP_AFTER_MS = 60_000;

/** Measures the time from a probe's 200 until GET /api/count finds the probe, under a steady load. */
export async function measureFreshness(
  collector: Collector,
  options: FreshnessOptions,
): Promise<FreshnessFigures> {
  const delays = recordLatencies(1024);
  const queries = recordLatencies(8192);
  const nextEvent = usageEvents(usageFleet(), 2);
  const loaded = runLoad({ url: collector.url, batchSize: 100, writeKey: writeKeys.server, ...options });
  await sleep(options.warmupMs);
  const probes: Promise<void>[] = [];
  const endAt = performance.now() + options.durationMs;
  for (let dueAt = performance.now(); dueAt < endAt; dueAt += PROBE_EVERY_MS) {
    await sleep(Math.max(0, dueAt - performance.now()));
    const timestamp = new Date().toISOString();
    const probe = { ...nextEvent(), messageId: randomUUID(), timestamp, sentAt: timestamp };
    const readable = sendProbe(collector, probe, delays.record, queries.record);
    // The promise is awaited below. Until then, its rejection must not end the process and
    // leave a collector running.
    readable.catch(() => {});
    probes.push(readable);
  }
  await Promise.all(probes);
  const [p50Ms = 0, p99Ms = 0, maxMs = 0] = delays.percentiles([0.5, 0.99, 1]);
  const [queryP50Ms = 0] = queries.percentiles([0.5]);
  return { load: await loaded, probes: delays.count(), p50Ms, p99Ms, maxMs, queryP50Ms };
}

async function sendProbe(
  collector: Collector,
  probe: { readonly messageId: string },
  onReadable: (delayMs: number) => void,
  onQuery: (ms: number) => void,
): Promise<void> {
  const response = await fetch(`${collector.url}/v1/track`, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(`${writeKeys.server}:`).toString("base64")}` },
    body: JSON.stringify(probe),
  });
  const acknowledgedAt = performance.now();
  if (!response.ok) throw new Error(`a probe was answered ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
  while (performance.now() - acknowledgedAt < GIVE_UP_AFTER_MS) {
    const askedAt = performance.now();
    const count = await countEvents(collector, probe.messageId);
    onQuery(performance.now() - askedAt);
    if (count === 1) return onReadable(performance.now() - acknowledgedAt);
    await sleep(POLL_EVERY_MS);
  }
  throw new Error(`an acknowledged probe was not readable after ${GIVE_UP_AFTER_MS} ms`);
}
