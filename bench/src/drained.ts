import { setTimeout as sleep } from "node:timers/promises";
import type { Collector } from "./collector.ts";
import { readDrainState } from "./read-api.ts";

const POLL_EVERY_MS = 100;

/** Resolves with the milliseconds it took until nothing waited in the log any more; throws after `withinMs`. */
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
