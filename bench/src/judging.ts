import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startCollector, writeKeys } from "./collector.ts";
import { type CpuProfile, type Part, type PartShares, sharesOf } from "./cpu-profile.ts";
import { describeErrors, type LoadResult, runLoad } from "./load-options.ts";
import { formatCount, markdownTable } from "./table.ts";

type Run = PartShares & { readonly load: LoadResult };

export type JudgingOptions = { readonly warmupMs: number; readonly nextIdPrefix: () => string };

const BATCH_SIZE = 100;
const RUNS = 3;
const LOAD_MS = 10_000;
const PIPELINE = "/server/dist/pipeline.js";

/** The first is what the plan costs. None is below another, but for the last: so the others may be added. */
const PARTS: readonly Part[] = [
  { name: "the plan and its policies: locate, enforce", functions: ["locate", "enforce"], file: PIPELINE },
  { name: "read the body, JSON.parse", functions: ["parseBody"], file: "/server/dist/request/body.js" },
  { name: "stamp", functions: ["stamp"], file: PIPELINE },
  { name: "serialize", functions: ["serialize"], file: PIPELINE },
  { name: "dedupe", functions: ["dedupe"], file: PIPELINE },
  { name: "append", functions: ["append"], file: PIPELINE },
  { name: "write to the log", functions: ["submit"], file: PIPELINE },
  { name: "collect garbage", functions: ["(garbage collector)"] },
];

/**
 * Shares of the collector's main thread under batches of 100, from a profile of the real process: what every step costs, and so
 * what the plan costs. Runs apart, because a profile is of one process.
 */
export async function judgingTable(options: JudgingOptions): Promise<string> {
  const runs: Run[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await profileOnce(options));
  const percent = (share: number) => `${(share * 100).toFixed(1)}%`;
  return markdownTable(
    [
      `share of the main thread's busy time, batches of ${BATCH_SIZE}`,
      ...runs.map((_, index) => `run ${index + 1}`),
    ],
    [
      ...PARTS.map(({ name }, part) => [name, ...runs.map(({ shares }) => percent(shares[part] ?? 0))]),
      [
        "all else: HTTP, timers, the drain",
        ...runs.map(({ shares }) => percent(1 - shares.reduce((sum, share) => sum + share, 0))),
      ],
      ["events/s while profiled", ...runs.map(({ load }) => rateOf(load))],
      ["samples of 1 ms", ...runs.map(({ samples }) => formatCount(samples))],
    ],
  );
}

function rateOf({ eventsPerS, errors }: LoadResult): string {
  const faults = describeErrors(errors);
  return faults === null ? formatCount(eventsPerS) : `${formatCount(eventsPerS)} (${faults})`;
}

/** A collector of its own, profiled from its start to its clean end; only the measured part of the load counts. */
async function profileOnce({ warmupMs, nextIdPrefix }: JudgingOptions): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "candor-bench-judging-"));
  try {
    const collector = await startCollector({
      dataDir: join(folder, "data"),
      nodeFlags: ["--cpu-prof", `--cpu-prof-dir=${join(folder, "profiles")}`],
    });
    try {
      const loaded = runLoad({
        url: collector.url,
        batchSize: BATCH_SIZE,
        durationMs: LOAD_MS,
        warmupMs,
        writeKey: writeKeys.server,
        idPrefix: nextIdPrefix(),
      });
      // The generator prepares its requests first, so that its time begins and ends a little after ours.
      await sleep(warmupMs);
      const fromUs = nowUs();
      await sleep(LOAD_MS);
      const untilUs = nowUs();
      const load = await loaded;
      await collector.stop();
      const profile = readProfile(join(folder, "profiles"), collector.pid);
      return { ...sharesOf(profile, PARTS, [fromUs, untilUs]), load };
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

/** Node writes one file for each thread: `CPU.<day>.<time>.<process>.<thread>.<number>.cpuprofile`; the main thread is 0. */
function readProfile(folder: string, pid: number): CpuProfile {
  const file = readdirSync(folder).find((name) => name.includes(`.${pid}.0.`));
  if (file === undefined) throw new Error("the collector wrote no profile of its main thread");
  return JSON.parse(readFileSync(join(folder, file), "utf8"));
}
