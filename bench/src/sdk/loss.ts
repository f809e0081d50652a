/** Measures how many events are lost, by how the process ends. */
import { setTimeout as sleep } from "node:timers/promises";
import { startHost } from "./host.ts";
import type { Lane } from "./sink.ts";
import type { Ending, LoseTask, Place, SdkName } from "./task.ts";

export type LossFigures = {
  readonly tracked: number;
  readonly lost: number;
  /** Events that arrived again, with the same id. */
  readonly repeated: number;
  /**
   * With the ending `main ends`: how long the process kept running after its last call, at most about
   * PATIENCE_MS. Null with other endings.
   */
  readonly livedOnMs: number | null;
};

export const LOST_OF = 1000;
export const DOWN_MS = 10_000;
/** How long to wait for all events to arrive, or for a process to end. */
const PATIENCE_MS = 60_000;
/** The time between the last call and a kill. Candor promises that 100 ms are enough to lose nothing. */
const BEFORE_KILL_MS = 150;
const POLL_MS = 250;

/**
 * Makes LOST_OF calls during the DOWN_MS in which the collector is down. Then the process ends as `ending`
 * says and the collector starts; with `main ends`, the process may run on for up to PATIENCE_MS after that.
 * Finally the product restarts in the same folder for at most PATIENCE_MS. With the ending `kept`, the first
 * process runs for that time instead.
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

/**
 * Runs the product's first process, and starts the collector after its last call. Resolves with `livedOnMs`
 * once the process has ended.
 */
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

/** Waits until all events have arrived, or PATIENCE_MS is over. */
async function untilComplete(lane: Lane): Promise<void> {
  const endAt = performance.now() + PATIENCE_MS;
  while ((await lane.tally()).distinct < LOST_OF && performance.now() < endAt) await sleep(POLL_MS);
}
