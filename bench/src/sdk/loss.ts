/** Owns the measurement of lost events, by how the process ends. */
import { setTimeout as sleep } from "node:timers/promises";
import { startHost } from "./host.ts";
import type { Lane } from "./sink.ts";
import type { Ending, LoseTask, Place, SdkName } from "./task.ts";

export type LossFigures = {
  readonly tracked: number;
  readonly lost: number;
  /** Events that came again, under the id they had. */
  readonly repeated: number;
  /** How long the process was there after its last call; null where this benchmark ended it. */
  readonly livedOnMs: number | null;
};

export const LOST_OF = 1000;
export const DOWN_MS = 10_000;
/** For the process that lives on, and again for the product's next start. */
const PATIENCE_MS = 60_000;
/** After this long a call that returned must be safe from a kill: Candor promises 100 ms. */
const BEFORE_KILL_MS = 150;
const POLL_MS = 250;

/**
 * 1,000 calls over the 10 s that the collector is down. Then the process ends as it is told to, the collector comes back, and the
 * product starts again, in the same folder, for a minute at most. A process that is kept is given that minute instead.
 */
export async function measureLoss(
  sdk: SdkName,
  ending: Ending,
  lane: Lane,
  place: Place,
): Promise<LossFigures> {
  const livedOnMs = await runFirst(sdk, ending, lane, place);
  if (ending !== "kept") {
    const second = startHost(sdk, place, { role: "restart" });
    await untilComplete(lane);
    await second.kill();
  }
  const { distinct, received } = await lane.tally();
  return { tracked: LOST_OF, lost: LOST_OF - distinct, repeated: received - distinct, livedOnMs };
}

/** Resolves once the first process is gone and the collector is back, with how long that process lived on by itself. */
async function runFirst(sdk: SdkName, ending: Ending, lane: Lane, place: Place): Promise<number | null> {
  const task: LoseTask = { role: "lose", calls: LOST_OF, durationMs: DOWN_MS, ending };
  const first = startHost(sdk, place, task);
  try {
    if (ending === "exit") {
      if ((await first.exitWithin(PATIENCE_MS)) !== 0) throw new Error(`${sdk} did not exit with 0`);
    } else await first.answer();
    const lastCallAt = performance.now();
    if (ending === "killed") {
      await sleep(BEFORE_KILL_MS);
      await first.kill();
    }
    await lane.open();
    if (ending === "kept") await untilComplete(lane);
    if (ending !== "main ends") return null;
    await first.exitWithin(PATIENCE_MS);
    return performance.now() - lastCallAt;
  } finally {
    await first.kill();
  }
}

/** Until all events have come, or a minute is over. */
async function untilComplete(lane: Lane): Promise<void> {
  const endAt = performance.now() + PATIENCE_MS;
  while ((await lane.tally()).distinct < LOST_OF && performance.now() < endAt) await sleep(POLL_MS);
}
