/**
 * `npm run bench`: the machine's floors and Candor in the same run, as one table. Parts can be run alone:
 * `node bench/dist/main.js --only singles,batches --rounds 5 --seconds 4 --warmup 2`. It judges nothing: figures are for reading.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { abuseTable } from "./abuse.ts";
import { type Collector, startCollector } from "./collector.ts";
import { measureDisk } from "./disk.ts";
import { measureDrain } from "./drain.ts";
import { startFloor } from "./floor-process.ts";
import { measureFreshness } from "./freshness.ts";
import { installerTable } from "./installer-kit.ts";
import { judgingTable } from "./judging.ts";
import { compareLogs } from "./log-compare.ts";
import { diskRows, drainRows, freshnessRows, resultHeader, speedRows } from "./result-rows.ts";
import { measureSdks } from "./sdk/measure.ts";
import { sdkTable } from "./sdk/sdk-table.ts";
import { collectorSubject, floorSubject, measureSpeed, type SpeedOptions } from "./speed.ts";
import { machineFacts, markdownTable } from "./table.ts";

const partNames = [
  "floors",
  "batches",
  "singles",
  "judging",
  "drain",
  "freshness",
  "disk",
  "abuse",
  "log",
  "sdk",
  "installer",
] as const;
type PartName = (typeof partNames)[number];

type Settings = { readonly rounds: number; readonly roundMs: number; readonly warmupMs: number };
type Rows = readonly (readonly string[])[];

const BATCH_SIZE = 100;
const FRESHNESS_EVENTS_PER_SECOND = 10_000;
const FRESHNESS_MS = 20_000;

/** Every load of one run gets its own: 0, 1, ... in base 36. */
let loads = 0;
const nextIdPrefix = () => (loads++).toString(36);

/** Each resolves with its rows of the one table. `floors` is the only part that needs no collector. */
const tableParts: Readonly<Partial<Record<PartName, (settings: Settings) => Promise<Rows>>>> = {
  floors: async (settings) => [...(await speed(BATCH_SIZE, settings)), ...(await speed(1, settings))],
  batches: (settings) => withCollector((collector) => speed(BATCH_SIZE, settings, collector)),
  singles: (settings) => withCollector((collector) => speed(1, settings, collector)),
  drain: ({ roundMs, warmupMs }) =>
    withCollector(async (collector) =>
      drainRows(await measureDrain(collector, { durationMs: roundMs, warmupMs, idPrefix: nextIdPrefix() })),
    ),
  freshness: ({ warmupMs }) =>
    withCollector(async (collector) =>
      freshnessRows(
        await measureFreshness(collector, {
          eventsPerSecond: FRESHNESS_EVENTS_PER_SECOND,
          durationMs: FRESHNESS_MS,
          warmupMs,
          idPrefix: nextIdPrefix(),
        }),
      ),
    ),
  disk: async () => diskRows(await measureDisk()),
};

/** Each resolves with a table of its own. */
const ownTables: Readonly<Partial<Record<PartName, (settings: Settings) => Promise<string>>>> = {
  judging: ({ warmupMs }) => judgingTable({ warmupMs, nextIdPrefix }),
  abuse: () => withCollector(abuseTable),
  log: ({ rounds, roundMs, warmupMs }) =>
    compareLogs({ rounds, roundMs: roundMs / 2, warmupMs: warmupMs / 2 }),
  installer: installerTable,
  sdk: async (settings) => sdkTable(await measureSdks(settings)),
};

await run();

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", default: partNames.filter((name) => name !== "floors").join(",") },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "4" },
      warmup: { type: "string", default: "2" },
    },
  });
  const settings = {
    rounds: Number(values.rounds),
    roundMs: Number(values.seconds) * 1000,
    warmupMs: Number(values.warmup) * 1000,
  };
  const names = values.only.split(",").map(toPartName);
  const rows: string[][] = [];
  const tables: string[] = [];
  for (const name of names) {
    console.error(`measuring: ${name}`);
    for (const row of (await tableParts[name]?.(settings)) ?? []) rows.push([...row]);
    const table = await ownTables[name]?.(settings);
    if (table !== undefined) tables.push(table);
  }
  console.log(`\n${machineFacts()}`);
  console.log(
    `medians of ${settings.rounds} rounds of ${values.seconds} s after ${values.warmup} s of warm-up, 32 connections`,
  );
  if (rows.length > 0) tables.unshift(markdownTable(resultHeader, rows));
  for (const table of tables) console.log(`\n${table}`);
}

function toPartName(text: string): PartName {
  const name = partNames.find((candidate) => candidate === text);
  if (name === undefined) throw new Error(`--only takes ${partNames.join(", ")}; not ${text}`);
  return name;
}

/** Floors and, if given, the collector, turn by turn. */
async function speed(batchSize: number, settings: Settings, collector?: Collector): Promise<Rows> {
  const folder = mkdtempSync(join(tmpdir(), "candor-bench-floor-"));
  const parse = await startFloor("parse", folder);
  const durable = await startFloor("durable", folder);
  const inFastify = collector === undefined ? await startFloor("fastify", folder) : undefined;
  try {
    const subjects = [
      floorSubject(parse),
      ...(inFastify === undefined ? [] : [floorSubject(inFastify)]),
      floorSubject(durable),
      ...(collector === undefined ? [] : [collectorSubject(collector)]),
    ];
    const options: SpeedOptions = { ...settings, batchSize, nextIdPrefix };
    return speedRows(await measureSpeed(subjects, options), batchSize);
  } finally {
    await parse.stop();
    await durable.stop();
    await inFastify?.stop();
    rmSync(folder, { recursive: true });
  }
}

/** A fresh collector on an empty folder of its own, so that no part's rows are in another's way. */
async function withCollector<T>(use: (collector: Collector) => Promise<T>): Promise<T> {
  const dataDir = mkdtempSync(join(tmpdir(), "candor-bench-"));
  const collector = await startCollector({ dataDir });
  try {
    return await use(collector);
  } finally {
    await collector.stop();
    rmSync(dataDir, { recursive: true });
  }
}
