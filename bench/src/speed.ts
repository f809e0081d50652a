import { setTimeout as sleep } from "node:timers/promises";
import { type Collector, writeKeys } from "./collector.ts";
import { untilDrained } from "./drained.ts";
import type { Floor, FloorKind } from "./floor-process.ts";
import { median } from "./latencies.ts";
import { type LoadResult, runLoad } from "./load-options.ts";
import { cpuShares } from "./processes.ts";

export type SpeedOptions = {
  readonly batchSize: number;
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmupMs: number;
  readonly nextIdPrefix: () => string;
};

export type Subject = {
  readonly name: string;
  readonly url: string;
  readonly isDurableFloor: boolean;
  serverPids(): readonly number[];
  /** Undefined where there is none. */
  enginePid(): number | undefined;
  /** Brings it to rest, so that it does not take the machine from the next subject. */
  rest(): Promise<void>;
};

/**
 * Medians over the rounds. What is set against the durable floor is so round by round, and the median taken of that: on a machine
 * whose speed wavers, neighbours in time compare, medians of different moments do not. Shares are of one core, over the whole run with its warm-up. */
export type SpeedFigures = {
  readonly name: string;
  readonly eventsPerS: number;
  readonly requestsPerS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly serverCpu: number;
  readonly engineCpu: number;
  readonly generatorCpu: number;
  /** Events/s against those of the durable floor; NaN when it was not among the subjects. */
  readonly ofDurableFloor: number;
  readonly p99ToDurableFloor: number;
  readonly loads: readonly LoadResult[];
};

type Round = { readonly load: LoadResult; readonly serverCpu: number; readonly engineCpu: number };

const DRAIN_WITHIN_MS = 600_000;
/** After draining the engine still merges for a moment. */
const SETTLE_MS = 2000;

/** Subjects take turns, round by round, so that a noisy moment of the machine meets all of them. */
export async function measureSpeed(
  subjects: readonly Subject[],
  options: SpeedOptions,
): Promise<SpeedFigures[]> {
  const rounds = new Map<Subject, Round[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const subject of subjects) {
      rounds.get(subject)?.push(await runRound(subject, options));
      await subject.rest();
    }
  }
  const durable = [...rounds].find(([{ isDurableFloor }]) => isDurableFloor)?.[1] ?? [];
  return [...rounds].map(([subject, measured]) => mediansOf(subject.name, measured, durable));
}

const FLOOR_NAMES: Readonly<Record<FloorKind, string>> = {
  parse: "floor: parse",
  durable: "floor: parse, append, flush",
  fastify: "floor: parse, in fastify",
};

export function floorSubject(floor: Floor): Subject {
  return {
    name: FLOOR_NAMES[floor.kind],
    isDurableFloor: floor.kind === "durable",
    url: floor.url,
    serverPids: () => [floor.pid],
    enginePid: () => undefined,
    rest: async () => floor.reset(),
  };
}

export function collectorSubject(collector: Collector): Subject {
  return {
    name: "Candor",
    isDurableFloor: false,
    url: collector.url,
    serverPids: () => collector.serverPids(),
    enginePid: () => collector.enginePid(),
    async rest() {
      await untilDrained(collector, DRAIN_WITHIN_MS);
      await sleep(SETTLE_MS);
    },
  };
}

async function runRound(subject: Subject, options: SpeedOptions): Promise<Round> {
  const loaded = runLoad({
    url: subject.url,
    batchSize: options.batchSize,
    durationMs: options.roundMs,
    warmupMs: options.warmupMs,
    writeKey: writeKeys.server,
    idPrefix: options.nextIdPrefix(),
  });
  const enginePid = subject.enginePid() ?? 0;
  const [engineCpu = 0, ...servers] = await cpuShares([enginePid, ...subject.serverPids()], loaded);
  return { load: await loaded, engineCpu, serverCpu: servers.reduce((sum, share) => sum + share, 0) };
}

function mediansOf(name: string, rounds: readonly Round[], durable: readonly Round[]): SpeedFigures {
  const middle = (read: (round: Round) => number) => median(rounds.map(read));
  const toDurable = (read: (load: LoadResult) => number) =>
    median(
      rounds.flatMap(({ load }, index) => (durable[index] ? [read(load) / read(durable[index].load)] : [])),
    );
  return {
    name,
    ofDurableFloor: toDurable(({ eventsPerS }) => eventsPerS),
    p99ToDurableFloor: toDurable(({ p99Ms }) => p99Ms),
    eventsPerS: middle(({ load }) => load.eventsPerS),
    requestsPerS: middle(({ load }) => load.requestsPerS),
    p50Ms: middle(({ load }) => load.p50Ms),
    p99Ms: middle(({ load }) => load.p99Ms),
    serverCpu: middle((round) => round.serverCpu),
    engineCpu: middle((round) => round.engineCpu),
    generatorCpu: middle(({ load }) => load.cpuShare),
    loads: rounds.map(({ load }) => load),
  };
}
