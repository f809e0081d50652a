/** The benchmark's `disk` part: bytes on disk for usage events that never repeat. */

import type { ClickHouseClient } from "@clickhouse/client";
import { type Collector, writeKeys } from "./collector.ts";
import { withEngine } from "./engine-client.ts";
import { idTag, idWriter, timeWriter } from "./patch.ts";
import { untilDrained } from "./read-api.ts";
import { buildRequest, defaultPath, stampRequest } from "./request-template.ts";
import { usageEvents, usageFleet } from "./usage-event.ts";

const BATCH_SIZE = 100;

/**
 * Measures bytes on disk for usage events that never repeat. The load generator is not used, because it
 * repeats its events, which then compress against their own copies and make the figure too small. The
 * collector must be empty, because everything in its store counts.
 *
 * @param events how many are sent. Default: 200000.
 */
export async function measureDisk(collector: Collector, events = 200_000): Promise<StoreSize> {
  await sendFreshEvents(collector, events);
  await untilDrained(collector, 120_000);
  return mergedStoreSize(collector);
}

async function sendFreshEvents(collector: Collector, events: number): Promise<void> {
  const nextEvent = usageEvents(usageFleet(), 1);
  const writeId = idWriter(idTag("disk", 0));
  const writeTime = timeWriter();
  const target = {
    host: new URL(collector.url).host,
    path: defaultPath(BATCH_SIZE),
    writeKey: writeKeys.server,
  };
  for (let sent = 0; sent < events; sent += BATCH_SIZE) {
    const template = buildRequest(target, Array.from({ length: BATCH_SIZE }, nextEvent));
    stampRequest(template, writeId, writeTime, Date.now());
    const response = await fetch(`${collector.url}${target.path}`, {
      method: "POST",
      headers: { authorization: `Basic ${Buffer.from(`${target.writeKey}:`).toString("base64")}` },
      body: template.bytes.subarray(template.bodyStart),
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  }
}

export type StoreSize = {
  readonly rows: number;
  /** The size of the table of events: columns, marks and indexes. */
  readonly eventsBytes: number;
  /** The size of all tables of the database. */
  readonly databaseBytes: number;
};

/**
 * Merges all parts of `candor.events` into one per partition, then reads the sizes on disk. The collector
 * must be drained and idle.
 */
async function mergedStoreSize(collector: Collector): Promise<StoreSize> {
  return withEngine(collector, async (client) => {
    await client.command({ query: "OPTIMIZE TABLE candor.events FINAL" });
    const [events] = await selectSizes(client, "AND table = 'events'");
    const [database] = await selectSizes(client, "");
    return {
      rows: Number(events?.rows ?? 0),
      eventsBytes: Number(events?.bytes ?? 0),
      databaseBytes: Number(database?.bytes ?? 0),
    };
  });
}

async function selectSizes(
  client: ClickHouseClient,
  filter: string,
): Promise<{ rows: string; bytes: string }[]> {
  const result = await client.query({
    query: `SELECT sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts
            WHERE active AND database = 'candor' ${filter}`,
    format: "JSONEachRow",
  });
  return result.json();
}
