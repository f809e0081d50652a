/**
 * The command `npm run soak`: runs minutes of steady load, then rounds of kill -9 under load. After each of
 * the two, every acknowledged message must be stored once. Exits with 1 if a message is missing, stored
 * twice, unknown, refused or unsettled, if a count or a rollup differs from the stored rows, or if an engine
 * outlives its collector. With options: `node bench/dist/soak.js --minutes 10 --kills 100 --rate 2000 --seed
 * 1`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startCollector, writeKeys } from "./collector.ts";
import { currentMemory } from "./drain.ts";
import { runKillRounds } from "./kill-rounds.ts";
import { startLedger } from "./ledger-options.ts";
import { readDrainState } from "./read-api.ts";
import { checkStored, type StoredCheck } from "./stored-check.ts";
import { formatCount, formatMb, machineFacts, markdownTable } from "./table.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    kills: { type: "string", default: "100" },
    rate: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
  },
});

type Unsettled = { readonly refused: readonly string[]; readonly unsettled: number };

console.log(machineFacts());
const eventsPerSecond = Number(values.rate);
if (Number(values.minutes) > 0)
  judge("steady load", await steadyLoad(Number(values.minutes), eventsPerSecond));
if (Number(values.kills) > 0) {
  const report = await runKillRounds({
    rounds: Number(values.kills),
    seed: Number(values.seed),
    eventsPerSecond,
    log: (line) => console.log(line),
  });
  const { server, engine, both } = report.kills;
  console.log(
    `\nkilled: server ${server}, engine ${engine}, both ${both}; ${report.retries} requests sent again`,
  );
  for (const failure of report.failedStarts) console.log(`a restart failed at first: ${failure}`);
  for (const engine of report.leftEngines) console.log(`an engine outlived its collector: ${engine}`);
  for (const difference of report.rollupDifferences.slice(0, 20))
    console.log(`a rollup differs from the events: ${JSON.stringify(difference)}`);
  if (report.leftEngines.length + report.rollupDifferences.length > 0) process.exitCode = 1;
  judge("kill -9 under load", report);
}

/**
 * Runs the steady load, and prints memory and backlog each minute; the memory should not grow. Then compares
 * the stored rows with what was acknowledged.
 */
async function steadyLoad(minutes: number, eventsPerSecond: number): Promise<StoredCheck & Unsettled> {
  const dataDir = mkdtempSync(join(tmpdir(), "candor-soak-"));
  const collector = await startCollector({ dataDir });
  try {
    const ledger = startLedger({
      url: collector.url,
      writeKey: writeKeys.server,
      eventsPerSecond,
      idPrefix: "soak",
      seed: Number(values.seed),
    });
    const rows: string[][] = [];
    for (let minute = 0; minute <= minutes; minute++) {
      if (minute > 0) await sleep(60_000);
      const { serverBytes, engineBytes } = currentMemory(collector, "");
      const { pending } = await readDrainState(collector);
      const acknowledged = formatCount(ledger.acknowledged());
      rows.push([
        String(minute),
        formatMb(serverBytes),
        formatMb(engineBytes),
        formatCount(pending),
        acknowledged,
      ]);
      console.log(`minute ${rows.at(-1)?.join("  ")}`);
    }
    console.log(`\n${markdownTable(["minute", "server", "engine", "rows waiting", "acknowledged"], rows)}`);
    const { acknowledgedIds, refused, unsettled } = await ledger.finish();
    return { ...(await checkStored(collector, acknowledgedIds)), refused, unsettled };
  } finally {
    await collector.stop();
    rmSync(dataDir, { recursive: true });
  }
}

function judge(name: string, check: StoredCheck & Unsettled): void {
  const { acknowledged, stored, counted, missing, twice, unknown, refused, unsettled } = check;
  const header = [
    "after",
    "acknowledged",
    "stored",
    "counted",
    "missing",
    "twice",
    "unknown",
    "refused",
    "unsettled",
  ];
  const figures = [
    acknowledged,
    stored,
    counted,
    missing.length,
    twice.length,
    unknown.length,
    refused.length,
    unsettled,
  ];
  console.log(`\n${markdownTable(header, [[name, ...figures.map(formatCount)]])}`);
  for (const id of [...missing, ...twice, ...unknown, ...refused].slice(0, 20))
    console.log(`for example ${id}`);
  const faults = missing.length + twice.length + unknown.length + refused.length + unsettled;
  if (faults > 0 || counted !== stored) process.exitCode = 1;
}
