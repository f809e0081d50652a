/** The benchmark's `profile` part: which functions use the collector's CPU time, by thread. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startCollector, writeKeys } from "./collector.ts";
import { type CpuProfile, type SelfTimes, selfTimesOf } from "./cpu-profile.ts";
import { faultsOf, type LoadResult, nameBatchSize, runLoad } from "./load-options.ts";
import type { NodeBinary } from "./node-binary.ts";
import { selfTimesTable } from "./profile-table.ts";
import { formatCount, formatPercent } from "./table.ts";

export type ProfileOptions = {
  readonly node: NodeBinary;
  readonly batchSize: number;
  readonly durationMs: number;
  readonly warmupMs: number;
  readonly idPrefix: string;
};

type Thread = SelfTimes & { readonly name: string };

/** Threads that are less busy than this are omitted. */
const LEAST_BUSY_SHARE = 0.02;

/** Profiles a collector from its start to its clean stop. Only the measured part of the load counts. */
export async function profileTables(options: ProfileOptions): Promise<string> {
  const { load, threads } = await profileOnce(options);
  const subject = `${nameBatchSize(options.batchSize)}, Node ${options.node.version}`;
  const title = `Profile, ${subject}: ${formatCount(load.eventsPerS)} events/s while profiled${faultsOf([load])}`;
  const tables = threads
    .filter(({ busyShare }) => busyShare >= LEAST_BUSY_SHARE)
    .map((thread) => {
      const usPerEvent = (thread.busyShare * 1e6) / load.eventsPerS;
      return `${thread.name}, busy ${formatPercent(thread.busyShare)}:\n\n${selfTimesTable(thread, usPerEvent)}`;
    });
  return [title, ...tables].join("\n\n");
}

async function profileOnce(options: ProfileOptions): Promise<{ load: LoadResult; threads: Thread[] }> {
  const folder = mkdtempSync(join(tmpdir(), "candor-bench-profile-"));
  try {
    const collector = await startCollector({
      dataDir: join(folder, "data"),
      nodePath: options.node.path,
      nodeFlags: ["--cpu-prof", `--cpu-prof-dir=${join(folder, "profiles")}`],
    });
    try {
      const { batchSize, durationMs, warmupMs, idPrefix } = options;
      const loaded = runLoad({
        url: collector.url,
        batchSize,
        durationMs,
        warmupMs,
        writeKey: writeKeys.server,
        idPrefix,
      });
      // The generator prepares its requests first, so its measured time begins and ends
      // a little later than this.
      await sleep(warmupMs);
      const fromUs = nowUs();
      await sleep(durationMs);
      const untilUs = nowUs();
      const load = await loaded;
      await collector.stop();
      return { load, threads: readThreads(join(folder, "profiles"), collector.pid, [fromUs, untilUs]) };
    } finally {
      if (collector.isRunning()) await collector.kill("both");
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/**
 * Reads the profiles of all threads. Node writes one file for each thread, named
 * `CPU.<day>.<time>.<process>.<thread>.<number>.cpuprofile`. The main thread is 0.
 */
function readThreads(folder: string, pid: number, window: readonly [number, number]): Thread[] {
  const threads = readdirSync(folder)
    .flatMap((file) => {
      const id = new RegExp(`\\.${pid}\\.(\\d+)\\.\\d+\\.cpuprofile$`).exec(file)?.[1];
      return id === undefined ? [] : [{ id: Number(id), file }];
    })
    .sort((a, b) => a.id - b.id)
    .map(({ id, file }) => {
      const profile: CpuProfile = JSON.parse(readFileSync(join(folder, file), "utf8"));
      return { name: id === 0 ? "Main thread" : `Thread ${id}`, ...selfTimesOf(profile, window) };
    });
  if (threads[0]?.name !== "Main thread")
    throw new Error("the collector wrote no profile of its main thread");
  return threads;
}
