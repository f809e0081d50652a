/** What the events take on disk. */
import type { ClickHouseClient } from "@clickhouse/client";
import type { Collector } from "./collector.ts";
import { withEngine } from "./engine-client.ts";

export type StoreSize = {
  readonly rows: number;
  /** The table of events: its columns, marks, indexes. */
  readonly eventsBytes: number;
  /** All tables of the database. */
  readonly databaseBytes: number;
};

/** Merges every part of `candor.events` into one and reads what is left on disk. The collector must be drained and idle. */
export async function mergedStoreSize(collector: Collector): Promise<StoreSize> {
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
