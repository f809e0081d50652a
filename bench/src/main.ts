/**
 * The command `npm run bench`: measures the machine's baseline and Candor in the same run, and prints tables.
 * It asserts nothing. Parts can run alone and on any Node: `node bench/dist/main.js --only cost --node node
 * --node DIR/bin/node --rounds 5 --seconds 4 --warmup 2`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { abuseTable } from "./abuse.ts";
import { measureBeside } from "./beside.ts";
import { measureBrowserSdks } from "./browser/measure.ts";
import { browserTable } from "./browser/table.ts";
import { type Collector, startCollector } from "./collector.ts";
import { measureCost } from "./cost.ts";
import { costTable, cpuTable } from "./cost-table.ts";
import { measureDisk } from "./disk.ts";
import { measureDrain } from "./drain.ts";
import { measureFreshness } from "./freshness.ts";
import { installerTable } from "./installer-kit.ts";
import { type NodeBinary, nodeBinaryAt, thisNode } from "./node-binary.ts";
import { profileTables } from "./profile.ts";
import { reportTable } from "./report-table.ts";
import { besideRows, diskRows, drainRows, freshnessRows, resultHeader } from "./result-rows.ts";
import { measureSdks } from "./sdk/measure.ts";
import { sdkTable } from "./sdk/sdk-table.ts";
import { machineFacts, markdownTable } from "./table.ts";

const partNames = [
  "cost",
  "drain",
  "freshness",
  "beside",
  "disk",
  "abuse",
  "sdk",
  "installer",
  "browser",
  "profile",
  "reports",
] as const;
type PartName = (typeof partNames)[number];
/**
 * Parts that do not run by default. `profile` is for developers; `browser` downloads other SDKs and needs a
 * browser; `reports` makes a million events, or as many as `--events` says; `beside` drains some millions.
 */
const ON_REQUEST: readonly PartName[] = ["profile", "browser", "reports", "beside"];

type Settings = {
  /** At least one. */
  readonly nodes: readonly NodeBinary[];
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmupMs: number;
  /** The numbers of events for which reports are measured, each in its own store. */
  readonly events: readonly number[];
};
type Rows = readonly (readonly string[])[];

const FRESHNESS_EVENTS_PER_SECOND = 10_000;
const FRESHNESS_MS = 20_000;

/** Each load of a run gets its own prefix: 0, 1, ... in base 36. */
let loads = 0;
const nextIdPrefix = () => (loads++).toString(36);

/** The parts whose rows share one table in the output. Each part measures its own collector. */
const tableParts: Readonly<Partial<Record<PartName, (settings: Settings) => Promise<Rows>>>> = {
  drain: ({ nodes, roundMs, warmupMs }) =>
    withCollector(nodes, async (collector) =>
      drainRows(await measureDrain(collector, { durationMs: roundMs, warmupMs, idPrefix: nextIdPrefix() })),
    ),
  freshness: ({ nodes, warmupMs }) =>
    withCollector(nodes, async (collector) =>
      freshnessRows(
        await measureFreshness(collector, {
          eventsPerSecond: FRESHNESS_EVENTS_PER_SECOND,
          durationMs: FRESHNESS_MS,
          warmupMs,
          idPrefix: nextIdPrefix(),
        }),
      ),
    ),
  beside: ({ nodes, roundMs, warmupMs }) =>
    withCollector(nodes, async (collector) =>
      besideRows(await measureBeside(collector, { durationMs: roundMs, warmupMs, nextIdPrefix })),
    ),
  disk: ({ nodes }) => withCollector(nodes, async (collector) => diskRows(await measureDisk(collector))),
};

/** The parts that print their own table. */
const ownTables: Readonly<Partial<Record<PartName, (settings: Settings) => Promise<string>>>> = {
  cost: async (settings) => {
    const costs = await measureCost({ ...settings, nextIdPrefix, log: (line) => console.error(line) });
    return `${costTable(costs)}\n\n${cpuTable(costs)}`;
  },
  profile: profileParts,
  abuse: ({ nodes }) => withCollector(nodes, abuseTable),
  installer: installerTable,
  sdk: async (settings) => sdkTable(await measureSdks(settings)),
  reports: ({ events }) => reportTable(events),
  browser: async ({ rounds }) => browserTable(await measureBrowserSdks(rounds)),
};

await run();

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", default: partNames.filter((name) => !ON_REQUEST.includes(name)).join(",") },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "4" },
      warmup: { type: "string", default: "2" },
      events: { type: "string", default: "1000000" },
      node: { type: "string", multiple: true, default: [] },
    },
  });
  const paths = values.node.flatMap((list) => list.split(","));
  const settings = {
    nodes: paths.length === 0 ? [thisNode] : paths.map(nodeBinaryAt),
    rounds: Number(values.rounds),
    roundMs: Number(values.seconds) * 1000,
    warmupMs: Number(values.warmup) * 1000,
    events: values.events.split(",").map(Number),
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

/** Profiles a collector under batches and under single events, on each Node. */
async function profileParts({ nodes, roundMs, warmupMs }: Settings): Promise<string> {
  const tables: string[] = [];
  for (const node of nodes)
    for (const batchSize of [100, 1])
      tables.push(
        await profileTables({ node, batchSize, durationMs: roundMs, warmupMs, idPrefix: nextIdPrefix() }),
      );
  return tables.join("\n\n");
}

/** Runs a fresh collector with an empty folder on the first Node, so that parts do not affect each other. */
async function withCollector<T>(
  [node = thisNode]: readonly NodeBinary[],
  use: (collector: Collector) => Promise<T>,
): Promise<T> {
  const dataDir = mkdtempSync(join(tmpdir(), "candor-bench-"));
  const collector = await startCollector({ dataDir, nodePath: node.path });
  try {
    return await use(collector);
  } finally {
    await collector.stop();
    rmSync(dataDir, { recursive: true });
  }
}
