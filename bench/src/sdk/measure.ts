/**
 * The benchmark's `sdk` part, which compares @candor/node with three peers in one run on one machine. Each
 * SDK runs in fresh processes and sends to one local sink, which accepts the requests of all of them. The
 * event is the plan's `execute_ACTION_TRIGGERED` (usage-event.ts).
 *
 * Each SDK is configured as in the first example of its documentation, except for the host. So the defaults
 * apply:
 * - Candor, as packed: the Appsmith plan, an empty state folder, telemetry allowed
 * (`APPSMITH_DISABLE_TELEMETRY=false`); sends at 256 KiB or after 10 s, an outbox of 50 MB.
 * - @segment/analytics-node: flushAt 15, flushInterval 10 s, maxRetries 10.
 * - posthog-node: flushAt 20, flushInterval 10 s, batches of up to 100, a queue of 1,000, 3 retries 3 s
 * apart.
 * - @rudderstack/rudder-sdk-node: flushAt 20, flushInterval 10 s, a queue of 20,000, 3 retries, gzip; and an
 * `errorHandler`, because without one a collector that is down ends the host with an unhandled rejection. The
 * SDK's queue in Redis is not used, because it needs a second server. (npm still installs `bull`, which only
 * that queue needs.)
 *
 * At 5,000 calls per second, all four SDKs reach their batch sizes and send all the time, so the delay and
 * the CPU time include sending. No SDK's flush or shutdown is called, not even Candor's, so the losses are
 * those of a product that ends without a flush.
 *
 * "Added" means in addition to a process that runs the same loop over the same events without an SDK, in the
 * same rounds.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "../latencies.ts";
import { LARGE_BURST_CALLS, measureBursts, SMALL_BURST_CALLS } from "./bursts.ts";
import type { SdkFigures } from "./figures.ts";
import { installedSize, locatePackage } from "./installed-size.ts";
import { type LossFigures, measureLoss } from "./loss.ts";
import { addedMemory, type Memory, measureMemory } from "./memory.ts";
import { addedPace, measurePace, type PaceOptions, type PaceRound } from "./pace.ts";
import { type Sink, startSink } from "./sink.ts";
import { type BurstAnswer, type Ending, SDK_NAMES, type SdkName, type Subject } from "./task.ts";
import { CANDOR_FOLDER, makeWorkplace, packCandor, type Workplace } from "./workplace.ts";

export type SdkOptions = PaceOptions & { readonly rounds: number };

type Speeds = {
  readonly smallBursts: BurstAnswer[];
  readonly largeBursts: BurstAnswer[];
  readonly paces: PaceRound[];
};
type Losses = Record<Ending, LossFigures>;

const PEERS: Readonly<Record<Exclude<SdkName, "candor">, string>> = {
  segment: "@segment/analytics-node",
  posthog: "posthog-node",
  rudder: "@rudderstack/rudder-sdk-node",
};
const BENCH_FOLDER = fileURLToPath(new URL("../../", import.meta.url));

export async function measureSdks(options: SdkOptions): Promise<SdkFigures[]> {
  packCandor();
  const workplace = makeWorkplace();
  const sink = startSink();
  try {
    const speeds = await measureSpeeds(options, sink, workplace);
    const memories = await measureMemories(sink, workplace);
    const losses = await measureLosses(sink, workplace);
    return SDK_NAMES.map((sdk) => {
      const { smallBursts, largeBursts, paces } = speeds[sdk];
      return {
        sdk,
        ...installed(sdk),
        smallBursts: burstMedians(smallBursts),
        largeBursts: burstMedians(largeBursts),
        pace: addedPace(paces, speeds.none.paces),
        memory: addedMemory(memories[sdk], memories.none),
        losses: losses[sdk],
      };
    });
  } finally {
    await sink.stop();
    workplace.remove();
  }
}

/** Subjects take turns, round by round, so that a noisy moment of the machine affects all of them. */
async function measureSpeeds(
  { rounds, ...pace }: SdkOptions,
  sink: Sink,
  workplace: Workplace,
): Promise<Record<Subject, Speeds>> {
  const speeds = forSubjects((): Speeds => ({ smallBursts: [], largeBursts: [], paces: [] }));
  for (let round = 0; round < rounds; round++) {
    console.error(`  calls and delay, round ${round + 1} of ${rounds}`);
    for (const sdk of SDK_NAMES) {
      const { smallBursts, largeBursts } = speeds[sdk];
      smallBursts.push(await measureBursts(sdk, SMALL_BURST_CALLS, sink, workplace));
      largeBursts.push(await measureBursts(sdk, LARGE_BURST_CALLS, sink, workplace));
    }
    for (const subject of ["none", ...SDK_NAMES] as const)
      speeds[subject].paces.push(await measurePace(subject, pace, sink, workplace));
  }
  return speeds;
}

async function measureMemories(sink: Sink, workplace: Workplace): Promise<Record<Subject, Memory>> {
  console.error("  memory");
  return {
    none: await measureMemory("none", sink, workplace),
    candor: await measureMemory("candor", sink, workplace),
    segment: await measureMemory("segment", sink, workplace),
    posthog: await measureMemory("posthog", sink, workplace),
    rudder: await measureMemory("rudder", sink, workplace),
  };
}

/** Measures all losses at the same time, because these processes mostly wait. */
async function measureLosses(sink: Sink, workplace: Workplace): Promise<Record<SdkName, Losses>> {
  console.error("  losses");
  const lose = async (sdk: SdkName, ending: Ending) => {
    const lane = await sink.lane();
    return measureLoss(sdk, ending, lane, workplace.place(lane.host));
  };
  const loseEachWay = async (sdk: SdkName): Promise<Losses> => {
    const [killed, exit, mainEnds, kept] = await Promise.all([
      lose(sdk, "killed"),
      lose(sdk, "exit"),
      lose(sdk, "main ends"),
      lose(sdk, "kept"),
    ]);
    return { killed, exit, "main ends": mainEnds, kept };
  };
  const [candor, segment, posthog, rudder] = await Promise.all([
    loseEachWay("candor"),
    loseEachWay("segment"),
    loseEachWay("posthog"),
    loseEachWay("rudder"),
  ]);
  return { candor, segment, posthog, rudder };
}

function burstMedians(rounds: readonly BurstAnswer[]): BurstAnswer {
  return {
    callsPerS: median(rounds.map(({ callsPerS }) => callsPerS)),
    turnedCallsPerS: median(rounds.map(({ turnedCallsPerS }) => turnedCallsPerS)),
  };
}

function installed(sdk: SdkName): Pick<SdkFigures, "version" | "size"> {
  const folder = sdk === "candor" ? CANDOR_FOLDER : locatePackage(PEERS[sdk], BENCH_FOLDER);
  if (folder === null) throw new Error(`${sdk} is not installed`);
  const { version }: { version: string } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return { version, size: installedSize(folder) };
}

function forSubjects<T>(make: (subject: Subject) => T): Record<Subject, T> {
  return {
    none: make("none"),
    candor: make("candor"),
    segment: make("segment"),
    posthog: make("posthog"),
    rudder: make("rudder"),
  };
}
