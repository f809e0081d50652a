/** Measures how fast an SDK handles bursts of calls. */
import { startHost } from "./host.ts";
import type { Sink } from "./sink.ts";
import type { BurstAnswer, SdkName } from "./task.ts";
import type { Workplace } from "./workplace.ts";

export const SMALL_BURST_CALLS = 100;
export const LARGE_BURST_CALLS = 1000;

const LIMIT_MS = 5000;

/**
 * Measures bursts of calls in a fresh process, with the collector up. In the pauses between the bursts, the
 * SDK can send.
 */
export async function measureBursts(
  sdk: SdkName,
  burstCalls: number,
  sink: Sink,
  workplace: Workplace,
): Promise<BurstAnswer> {
  const lane = await sink.lane();
  await lane.open();
  const isSmall = burstCalls === SMALL_BURST_CALLS;
  const host = startHost(sdk, workplace.place(lane.host), {
    role: "burst",
    burstCalls,
    bursts: isSmall ? 20 : 7,
    warmupBursts: isSmall ? 10 : 3,
    pauseMs: isSmall ? 50 : 250,
    limitMs: LIMIT_MS,
  });
  try {
    return await host.answer();
  } finally {
    await host.kill();
  }
}
