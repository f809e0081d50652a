/** For tests: waits until the collector has stored events. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { adminToken, type Collector, writeKeys } from "@candor/bench/collector";
import { expect } from "vitest";
import { countEvents, readEvents, type StoredEvent } from "../read-api.ts";

const GIVE_UP_AFTER_MS = 20_000;

/**
 * Returns all rows of a user, once at least `count` events are stored or after GIVE_UP_AFTER_MS. To be sure
 * that no acknowledged event can arrive later unnoticed, also sends a message of another user and waits until
 * that message is stored: everything acknowledged before it has been stored by then.
 */
export async function storedOf(collector: Collector, userId: string, count: number): Promise<StoredEvent[]> {
  const access = { url: collector.url, adminToken };
  const fence = randomUUID().replaceAll("-", "");
  const response = await fetch(`${collector.url}/v1/track`, {
    method: "POST",
    // The Appsmith plan declares this event, so the event is stored under either plan of the tests.
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
