/** Measures what a row costs after it is in the log. */
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type UsageEvent, usageEvents, usageFleet } from "@candor/bench/usage-event";
import type { Envelope } from "@candor/envelope";
import { loadPlan } from "@candor/plan";
import { openAppendLog } from "../log/append-log.ts";
import type { Log } from "../log/log.ts";
import { toLine } from "../row.ts";
import { DATABASES, type Store } from "../store/client.ts";
import { startInserterThread } from "../store/inserter-thread.ts";
import { applyPlanToStore } from "../store/plan-columns.ts";
import { ROLLUPS } from "../store/rollups.ts";
import { startStoreForTest } from "./real-store.ts";

/**
 * The cost is the CPU seconds per million rows that the inserter's thread and the embedded engine use until
 * the engine has no merges left. CPU time is measured because it is repeatable on a busy machine. Linux only.
 *
 *     node packages/server/dist/rig/store-cost.js [rows] [rows per block] [file|sent] [bare]
 *
 * `bare`: without the views that fill the rollups.
 */
const [rows = 300_000, rowsPerBlock = 50_000] = process.argv.slice(2, 4).map(Number);
const isSent = process.argv[4] === "sent";
const isBare = process.argv[5] === "bare";

const BATCH = 100;
const QUIET_MS = 3000;
const CLOCK_TICKS_A_SECOND = 100;

const real = await startStoreForTest();
const { store, engine, dir } = real;
for (const name of ["log", "quarantine"]) mkdirSync(join(dir, name));
const enginePid = engine.status().pid ?? 0;
const planUrl = new URL("../../../../plans/appsmith.yaml", import.meta.url);
await applyPlanToStore(store, loadPlan(readFileSync(planUrl, "utf8"), "appsmith.yaml"));
if (isBare) for (const rollup of ROLLUPS) await store.command(`DROP VIEW view_${rollup} SYNC`);
const log = await openAppendLog({
  dir: join(dir, "log"),
  maxSegmentRows: rowsPerBlock,
  keepKeys: async () => {},
});
await fill(log);
const address = { socketPath: engine.socketPath, ...(isSent ? {} : { rowsDir: join(dir, "rows") }) };
const inserter = startInserterThread({
  address,
  databases: DATABASES,
  quarantineDir: join(dir, "quarantine"),
});

const before = { own: process.cpuUsage(), engineS: engineCpuS() };
for (let segment = await log.nextSealed(0); segment !== undefined; segment = await log.nextSealed(0)) {
  await inserter.insert(segment);
  await log.remove(segment);
  if (log.pending().rows === 0) await log.close();
}
const insertedS = engineCpuS() - before.engineS;
await untilQuiet(store);
const own = process.cpuUsage(before.own);
const inserterS = (own.user + own.system) / 1e6;
const engineS = engineCpuS() - before.engineS;
const perMillion = (seconds: number): string => ((seconds * 1e6) / rows).toFixed(1);
const [size] = await store.query(
  "SELECT round(sum(bytes_on_disk) / sum(rows)) AS bytesPerRow, count() AS parts FROM system.parts WHERE active AND table = 'events'",
);
process.stdout.write(
  `${isSent ? "sent" : "file"}${isBare ? ", without rollups" : ""}, ${rowsPerBlock} rows a block: inserter ${perMillion(inserterS)}, engine ${perMillion(engineS)} ` +
    `(${perMillion(insertedS)} until the last insert), together ${perMillion(inserterS + engineS)} s per million rows; ` +
    `engine's peak ${peakMib(enginePid)} MiB; ${size?.bytesPerRow} bytes a row in ${size?.parts} parts\n`,
);
await inserter.close();
await real.close();

/**
 * Fills the log with envelopes as the collector makes them, in the order of their arrival, 100 per request.
 */
async function fill(into: Log): Promise<void> {
  const next = usageEvents(usageFleet(), 7);
  let receivedAtMs = Date.now() - 3_600_000;
  for (let done = 0; done < rows; done += BATCH) {
    receivedAtMs += 4;
    const lines = Array.from({ length: BATCH }, (_, sequence) => lineOf(next(), receivedAtMs, sequence));
    await into.append(new Uint32Array(2 * BATCH), lines.join(""));
  }
}

function lineOf(event: UsageEvent, receivedAtMs: number, sequence: number): string {
  const [receivedAt, timestamp] = [receivedAtMs, receivedAtMs - 900].map((ms) => new Date(ms).toISOString());
  const envelope = { ...event, messageId: randomUUID(), originalTimestamp: timestamp, receivedAt, timestamp };
  const about = { country: "DE", planVersion: 3, sentPlanVersion: 3, skipped: 0, trimmed: [] };
  return toLine(
    { source: "server", sequence, ...about },
    envelope as unknown as Envelope,
    JSON.stringify(envelope),
  );
}

async function untilQuiet(of: Store): Promise<void> {
  for (let quietMs = 0; quietMs < QUIET_MS; quietMs += 500) {
    await sleep(500);
    const [row] = await of.query("SELECT count() AS merges FROM system.merges");
    if (Number(row?.merges) > 0) quietMs = 0;
  }
}

/** Returns the user and system time of all threads of the engine since its process started, in seconds. */
function engineCpuS(): number {
  const stat = readFileSync(`/proc/${enginePid}/stat`, "utf8");
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
    .map(Number);
  return (user + system) / CLOCK_TICKS_A_SECOND;
}

function peakMib(pid: number): number {
  const [, kib = 0] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kib) / 1024);
}
