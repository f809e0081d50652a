/** Reads stored events, counts and metrics from the collector. */

import { setTimeout as sleep } from "node:timers/promises";
import { adminToken, type Collector } from "./collector.ts";

/** GET /api/count: the number of distinct messageIds, or whether the given messageId is stored (1 or 0). */
export async function countEvents(collector: Collector, messageId?: string): Promise<number> {
  const query = messageId === undefined ? "" : `?messageId=${encodeURIComponent(messageId)}`;
  const { count } = (await getJson(collector, `/api/count${query}`)) as { count: number };
  return count;
}

/**
 * Yields the messageId of every row, by paging GET /api/events. The id of a row
 * stored twice is yielded twice.
 */
export async function* storedIds(collector: Collector): AsyncGenerator<string> {
  let cursor: string | null = "";
  while (cursor !== null) {
    const query: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = (await getJson(collector, `/api/events?limit=1000${query}`)) as {
      events: { messageId: string }[];
      next?: string | null;
    };
    for (const { messageId } of page.events) yield messageId;
    cursor = page.next ?? null;
  }
}

/** GET /metrics: each metric's value, summed over all values of its labels. */
async function readMetrics(collector: Collector): Promise<ReadonlyMap<string, number>> {
  const response = await authorised(collector, "/metrics");
  const sums = new Map<string, number>();
  for (const line of (await response.text()).split("\n")) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{.*\})? (\S+)/.exec(line);
    if (match?.[1] !== undefined) sums.set(match[1], (sums.get(match[1]) ?? 0) + Number(match[2]));
  }
  return sums;
}

export type DrainState = { readonly accepted: number; readonly drained: number; readonly pending: number };

/**
 * Reads how many events were accepted and how many rows drained since the collector started, and how many
 * rows now wait in the log.
 */
export async function readDrainState(collector: Collector): Promise<DrainState> {
  const metrics = await readMetrics(collector);
  const read = (name: string) => {
    const value = metrics.get(name);
    if (value === undefined) throw new Error(`/metrics has no ${name}`);
    return value;
  };
  return {
    accepted: read("candor_events_accepted_total"),
    drained: read("candor_drained_rows_total"),
    pending: read("candor_log_pending_rows"),
  };
}

/** GET /api/reports/NAME, which may have parameters. Resolves when the whole answer has been read. */
export async function readReport(collector: Collector, name: string): Promise<void> {
  await (await authorised(collector, `/api/reports/${name}`)).arrayBuffer();
}

async function getJson(collector: Collector, path: string): Promise<unknown> {
  return (await authorised(collector, path)).json();
}

async function authorised(collector: Collector, path: string): Promise<Response> {
  const response = await fetch(`${collector.url}${path}`, {
    headers: { authorization: `Bearer ${adminToken}` },
    signal: AbortSignal.timeout(120_000),
  });
  if (!response.ok)
    throw new Error(`GET ${path}: ${response.status} ${(await response.text()).slice(0, 500)}`);
  return response;
}

const POLL_EVERY_MS = 100;

/** Waits until the log is drained. Resolves to the elapsed milliseconds; rejects after `withinMs`. */
export async function untilDrained(collector: Collector, withinMs: number): Promise<number> {
  const startAt = performance.now();
  for (;;) {
    const { pending } = await readDrainState(collector);
    const passedMs = performance.now() - startAt;
    if (pending === 0) return passedMs;
    if (passedMs > withinMs) throw new Error(`${pending} rows still wait in the log after ${withinMs} ms`);
    await sleep(POLL_EVERY_MS);
  }
}
