/** Compares acknowledged ids with the rows in the store. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Collector } from "./collector.ts";
import { countEvents, storedIds, untilDrained } from "./read-api.ts";

export type StoredCheck = {
  readonly acknowledged: number;
  /** The number of distinct messageIds that paging found. */
  readonly stored: number;
  /** The number of distinct messageIds according to GET /api/count. */
  readonly counted: number;
  /** Ids that were acknowledged but are not stored. */
  readonly missing: readonly string[];
  /** Ids that are stored in more than one row. */
  readonly twice: readonly string[];
  /** Ids that are stored but were never acknowledged, which is a fault only if every send was settled. */
  readonly unknown: readonly string[];
};

const DRAIN_WITHIN_MS = 300_000;
/** How long the count may lag behind the last drained block. */
const VISIBLE_WITHIN_MS = 10_000;

/** Waits until the log is drained, then compares the acknowledged ids with every row of the store. */
export async function checkStored(
  collector: Collector,
  acknowledgedIds: readonly string[],
): Promise<StoredCheck> {
  await untilDrained(collector, DRAIN_WITHIN_MS);
  const expected = new Set(acknowledgedIds);
  const giveUpAt = performance.now() + VISIBLE_WITHIN_MS;
  while ((await countEvents(collector)) < expected.size && performance.now() < giveUpAt) await sleep(100);
  const found = new Set<string>();
  const twice = new Set<string>();
  for await (const id of storedIds(collector)) {
    if (found.has(id)) twice.add(id);
    found.add(id);
  }
  return {
    acknowledged: expected.size,
    stored: found.size,
    counted: await countEvents(collector),
    missing: [...expected].filter((id) => !found.has(id)),
    twice: [...twice],
    unknown: [...found].filter((id) => !expected.has(id)),
  };
}
