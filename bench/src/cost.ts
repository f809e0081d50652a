/**
 * The benchmark's `cost` part: what an event costs. On each given Node, the baseline and Candor take turns,
 * while 32 connections send usage events of the default plan as fast as the answers arrive.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cpu, type Rest, readCpu, untilAtRest } from "./at-rest.ts";
import { startBaseline } from "./baseline.ts";
import { type Collector, startCollector, writeKeys } from "./collector.ts";
import { type LoadResult, runLoad } from "./load-options.ts";
import type { NodeBinary } from "./node-binary.ts";
import { cpuMs, threads } from "./processes.ts";

export type CostOptions = {
  readonly nodes: readonly NodeBinary[];
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmupMs: number;
  readonly nextIdPrefix: () => string;
  /** Called with each line of progress. */
  readonly log: (line: string) => void;
};

/**
 * The rounds of one subject at one batch size. `baseline[i]` is the baseline's round of the same number as
 * `rounds[i]`, on the same Node and with the same batch size.
 */
export type Cost = {
  readonly subject: "baseline" | "Candor";
  readonly nodeVersion: string;
  readonly batchSize: number;
  readonly rounds: readonly CostRound[];
  readonly baseline: readonly CostRound[];
};

export type CostRound = {
  readonly load: LoadResult;
  /** CPU seconds per million events, of all processes of the subject together, during the measured time. */
  readonly measuredCpuS: number;
  /**
   * The CPU time from the first event of the warm-up until no work is left; if `isAtRest` is false, until the
   * time was up.
   */
  readonly restCpu: CpuSeconds;
  readonly isAtRest: boolean;
  /** CPU microseconds that the load generator spends per event. */
  readonly generatorUs: number;
};

/** CPU seconds per million events. */
export type CpuSeconds = {
  readonly mainThreadS: number;
  readonly inserterS: number;
  readonly otherThreadsS: number;
  readonly engineS: number;
};

type Subject = {
  readonly name: Cost["subject"];
  readonly node: NodeBinary;
  readonly url: string;
  pids(): number[];
  cpu(): Cpu;
  rest(): Promise<Rest>;
  stop(): Promise<void>;
};

const BATCH_SIZES = [1, 100];
const REST_WITHIN_MS = 120_000;

/**
 * Measures all subjects. They take turns, round by round, so that a noisy moment of the machine affects all
 * of them.
 */
export async function measureCost(options: CostOptions): Promise<Cost[]> {
  const folder = mkdtempSync(join(tmpdir(), "candor-bench-cost-"));
  const subjects: Subject[] = [];
  try {
    for (const [index, node] of options.nodes.entries()) {
      const own = join(folder, String(index));
      mkdirSync(own);
      subjects.push(await baselineSubject(own, node), await candorSubject(own, node));
    }
    for (const subject of subjects) await subject.rest();
    return await takeTurns(subjects, options);
  } finally {
    for (const subject of subjects) await subject.stop();
    rmSync(folder, { recursive: true });
  }
}

async function takeTurns(subjects: readonly Subject[], options: CostOptions): Promise<Cost[]> {
  const turns = BATCH_SIZES.flatMap((batchSize) =>
    subjects.map((subject) => ({ subject, batchSize, rounds: [] as CostRound[] })),
  );
  for (let round = 1; round <= options.rounds; round++) {
    for (const { subject, batchSize, rounds } of turns) {
      const measured = await runRound(subject, batchSize, options);
      rounds.push(measured);
      const rate = Math.round(measured.load.eventsPerS);
      options.log(
        `round ${round}, ${subject.name}, Node ${subject.node.version}, ${batchSize} a request: ${rate} events/s`,
      );
    }
  }
  return turns.map(({ subject, batchSize, rounds }) => {
    const beside = turns.find(
      (turn) =>
        turn.batchSize === batchSize &&
        turn.subject.node === subject.node &&
        turn.subject.name === "baseline",
    );
    return {
      subject: subject.name,
      nodeVersion: subject.node.version,
      batchSize,
      rounds,
      baseline: beside?.rounds ?? [],
    };
  });
}

async function runRound(subject: Subject, batchSize: number, options: CostOptions): Promise<CostRound> {
  const before = subject.cpu();
  const load = await runLoad({
    url: subject.url,
    batchSize,
    durationMs: options.roundMs,
    warmupMs: options.warmupMs,
    writeKey: writeKeys.server,
    idPrefix: options.nextIdPrefix(),
    watchedPids: subject.pids(),
  });
  const after = await subject.rest();
  const perMillion = (read: (cpu: Cpu) => number) =>
    ((read(after.cpu) - read(before)) * 1000) / load.acknowledgedEvents;
  const measuredShare = load.watchedCpuShares.reduce((sum, share) => sum + share, 0);
  return {
    load,
    measuredCpuS: (measuredShare * 1e6) / load.eventsPerS,
    restCpu: {
      mainThreadS: perMillion((cpu) => cpu.mainThreadMs),
      inserterS: perMillion((cpu) => cpu.inserterMs),
      otherThreadsS: perMillion((cpu) => cpu.otherThreadsMs),
      engineS: perMillion((cpu) => cpu.engineMs),
    },
    isAtRest: after.isAtRest,
    generatorUs: (load.cpuShare * 1e6) / load.eventsPerS,
  };
}

async function baselineSubject(folder: string, node: NodeBinary): Promise<Subject> {
  const baseline = await startBaseline(folder, node.path);
  const cpu = (): Cpu => {
    const mainThreadMs = threads(baseline.pid).find(({ isMain }) => isMain)?.cpuMs ?? 0;
    return { mainThreadMs, inserterMs: 0, otherThreadsMs: cpuMs(baseline.pid) - mainThreadMs, engineMs: 0 };
  };
  return {
    name: "baseline",
    node,
    url: baseline.url,
    pids: () => [baseline.pid],
    cpu,
    async rest() {
      const spent = cpu();
      baseline.reset();
      return { isAtRest: true, cpu: spent };
    },
    stop: () => baseline.stop(),
  };
}

async function candorSubject(folder: string, node: NodeBinary): Promise<Subject> {
  const collector = await startCollector({ dataDir: join(folder, "data"), nodePath: node.path });
  return {
    name: "Candor",
    node,
    url: collector.url,
    pids: () => pidsOf(collector),
    cpu: () => readCpu(collector),
    rest: () => untilAtRest(collector, REST_WITHIN_MS),
    async stop() {
      await collector.stop();
    },
  };
}

function pidsOf(collector: Collector): number[] {
  const enginePid = collector.enginePid();
  return [...collector.serverPids(), ...(enginePid === undefined ? [] : [enginePid])];
}
