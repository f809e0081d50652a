/**
 * The crash test: kills processes under load, and checks that every acknowledged event is stored once and
 * that the rollups agree with the events.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isRecord } from "@candor/envelope/unknown-value";
import { adminToken, type Collector, isEngine, startCollector, type Victim, writeKeys } from "./collector.ts";
import { startLedger } from "./ledger-options.ts";
import { commandLine, isAlive } from "./processes.ts";
import { checkStored, type StoredCheck } from "./stored-check.ts";
import { type Random, seededRandom } from "./usage-event.ts";

export type KillOptions = {
  readonly rounds: number;
  /** Determines victims and delays. With the same seed, the same processes are killed in the same order. */
  readonly seed: number;
  /** Default 2000. */
  readonly eventsPerSecond?: number;
  /**
   * Default: a temporary folder. It is removed unless the run throws, leaves events unsettled, or finds a
   * fault in the events or the rollups.
   */
  readonly dataDir?: string;
  /** Called with one line per round. */
  readonly log?: (line: string) => void;
};

export type KillReport = StoredCheck & {
  readonly kills: Readonly<Record<Victim, number>>;
  /** Where the rollups differ from counts of the stored events; empty if they agree. */
  readonly rollupDifferences: readonly unknown[];
  /** The ids of events that an answer refused, although all events are valid. */
  readonly refused: readonly string[];
  readonly retries: number;
  /** The number of events that were neither acknowledged nor refused when the test ended. */
  readonly unsettled: number;
  /** The errors of starts that failed after a kill, and were then retried, as a supervisor would do. */
  readonly failedStarts: readonly string[];
  /**
   * The pid and the command line of each engine that was still running after the last collector had stopped,
   * and was then killed.
   */
  readonly leftEngines: readonly string[];
};

const MIN_DELAY_MS = 150;
const MAX_DELAY_MS = 2500;
const START_ATTEMPTS = 5;
const ENGINE_BACK_WITHIN_MS = 60_000;
const victims: readonly Victim[] = ["server", "engine", "both"];

/**
 * Kills the collector's real processes with SIGKILL at random moments under load, restarts them, and finally
 * checks that every acknowledged messageId is stored once. A crash test passes if `missing`, `twice`,
 * `unknown`, `refused`, `rollupDifferences` and `leftEngines` are empty and `unsettled` is 0.
 */
export async function runKillRounds(options: KillOptions): Promise<KillReport> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "candor-kills-"));
  const random = seededRandom(options.seed);
  const log = options.log ?? (() => {});
  const kills: Record<Victim, number> = { server: 0, engine: 0, both: 0 };
  const failedStarts: string[] = [];
  const engines = new Set<number>();
  let collector = await startCollector({ dataDir });
  const { eventsPerSecond = 2000, seed } = options;
  const ledger = startLedger({
    url: collector.url,
    writeKey: writeKeys.server,
    eventsPerSecond,
    idPrefix: "kill",
    seed,
  });
  try {
    for (let round = 0; round < options.rounds; round++) {
      const delayMs = delay(random);
      const victim = victims[Math.floor(random() * victims.length)] ?? "both";
      await sleep(delayMs);
      engines.add(collector.enginePid() ?? -1);
      await collector.kill(victim);
      kills[victim]++;
      collector = await recover(collector, victim, random, failedStarts);
      log(`round ${round + 1}: ${victim} after ${delayMs} ms; ${ledger.acknowledged()} acknowledged`);
    }
    await sleep(delay(random));
    const { acknowledgedIds, refused, retries, unsettled } = await ledger.finish();
    const check = await checkStored(collector, acknowledgedIds);
    const rollupDifferences = await findRollupDifferences(collector);
    await collector.stop();
    const leftEngines = await killLeft(engines);
    const faults = [check.missing, check.twice, check.unknown, refused, rollupDifferences];
    const isClean = unsettled === 0 && faults.every(({ length }) => length === 0);
    if (isClean && options.dataDir === undefined) rmSync(dataDir, { recursive: true });
    return { ...check, rollupDifferences, kills, refused, retries, unsettled, failedStarts, leftEngines };
  } catch (error) {
    ledger.abandon();
    await collector.kill("both");
    await killLeft(engines);
    throw new Error(`${(error as Error).message}\ndata folder: ${dataDir}\n${collector.output()}`, {
      cause: error,
    });
  }
}

async function findRollupDifferences({ url }: Collector): Promise<readonly unknown[]> {
  const headers = { authorization: `Bearer ${adminToken}` };
  const response = await fetch(`${url}/api/rebuild`, { headers });
  const answer: unknown = JSON.parse(await response.text());
  if (!isRecord(answer) || !Array.isArray(answer.differences))
    throw new Error(`the rollups could not be compared: ${response.status}`);
  return answer.differences;
}

/**
 * A log-uniform delay, so that many kills happen soon after a start, during recovery,
 * and some in steady state.
 */
function delay(random: Random): number {
  return Math.round(MIN_DELAY_MS * (MAX_DELAY_MS / MIN_DELAY_MS) ** random());
}

async function recover(
  killed: Collector,
  victim: Victim,
  random: Random,
  failedStarts: string[],
): Promise<Collector> {
  if (victim === "engine") {
    // In half of the cases, does not wait, so that the next kill may happen before the engine is up again.
    if (random() < 0.5) await untilEngine(killed);
    return killed;
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await startCollector({ dataDir: killed.dataDir, port: killed.port });
    } catch (error) {
      failedStarts.push((error as Error).message);
      if (attempt === START_ATTEMPTS) throw error;
      await sleep(500);
    }
  }
}

async function untilEngine(collector: Collector): Promise<void> {
  const giveUpAt = performance.now() + ENGINE_BACK_WITHIN_MS;
  while (collector.enginePid() === undefined) {
    if (!collector.isRunning()) throw new Error("the collector ended when its engine was killed");
    if (performance.now() > giveUpAt) throw new Error("the collector did not start its engine again");
    await sleep(20);
  }
}

/**
 * Waits a second, then kills the engines that are still running: each should have ended by itself with its
 * collector.
 * @returns the pid and the command line of each
 */
async function killLeft(engines: ReadonlySet<number>): Promise<string[]> {
  await sleep(1000);
  const left = [...engines].filter((pid) => pid > 0 && isAlive(pid) && isEngine(pid));
  const names = left.map((pid) => `${pid} ${commandLine(pid)}`);
  for (const pid of left) process.kill(pid, "SIGKILL");
  return names;
}
