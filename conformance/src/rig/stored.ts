/** For tests: waits for what the collector stores. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { adminToken, type Collector, writeKeys } from "@candor/bench/collector";
import { expect } from "vitest";
import { countEvents, readEvents, type StoredEvent } from "../read-api.ts";

const GIVE_UP_AFTER_MS = 20_000;

/**
 * The events of a user, all rows, once at least `count` are there or 20 s are over. A message of another user that is
 * sent now and waited for shows that everything acknowledged before it has arrived: none can come later and unseen.
 */
export async function storedOf(collector: Collector, userId: string, count: number): Promise<StoredEvent[]> {
  const access = { url: collector.url, adminToken };
  const fence = randomUUID().replaceAll("-", "");
  const response = await fetch(`${collector.url}/v1/track`, {
    method: "POST",
    // Declared in the Appsmith plan too.
    body: JSON.stringify({
      writeKey: writeKeys.server,
      userId: fence,
      event: "Instance Active",
      properties: { instanceId: "612460418944011a10fa5b" },
    }),
  });
  expect(response.status).toBe(200);
  const giveUpAt = performance.now() + GIVE_UP_AFTER_MS;
  while (performance.now() < giveUpAt) {
    const isSettled = (await countEvents(access, { userId: fence })) === 1;
    if (isSettled && (await countEvents(access, { userId })) >= count) break;
    await sleep(50);
  }
  const events = await readEvents(access, { userId });
  expect(await countEvents(access, { userId })).toBe(new Set(events.map((event) => event.messageId)).size);
  return events;
}
