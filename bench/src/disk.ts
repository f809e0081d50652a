import { type Collector, writeKeys } from "./collector.ts";
import { untilDrained } from "./drained.ts";
import { idTag, idWriter, timeWriter } from "./patch.ts";
import { buildRequest, defaultPath, stampRequest } from "./request-template.ts";
import { mergedStoreSize, type StoreSize } from "./store-size.ts";
import { usageEvents, usageFleet } from "./usage-event.ts";

const BATCH_SIZE = 100;

/**
 * Bytes on disk for usage events that never repeat: the load generator's few thousand would compress against their own copies
 * and flatter the figure. The collector must be empty: all that is in its store counts.
 *
 * @param events default 200000.
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
