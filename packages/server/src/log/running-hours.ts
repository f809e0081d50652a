import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { frameRecord, scanRecords } from "./record.ts";

const HOUR_MS = 3_600_000;
const FILE = "running-hours";

/**
 * Counts the hours that the collectors of a data folder have run, all processes one after the other: a clock that only
 * goes forward, and never faster than time does, whatever the machine's clock is set to.
 */
export interface RunningHours {
  /** Whole hours so far. */
  now(): number;
  /**
   * The same, and notes it, so that the next process goes on from here. Not flushed: after a power cut the count may be
   * that of some seconds before.
   */
  note(): number;
  close(): void;
}

/**
 * @param dir whose files begin with the hour in which they were made: when the count is lost, it goes on from the newest
 * @param runningMs how long this process has run
 */
export async function openRunningHours(
  dir: string,
  runningMs: () => number = () => performance.now(),
): Promise<RunningHours> {
  const path = join(dir, FILE);
  const beforeMs = Math.max(readNotedMs(path), HOUR_MS * (await newestHour(dir)));
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  const nowMs = (): number => beforeMs + runningMs();
  const now = (): number => Math.floor(nowMs() / HOUR_MS);
  const note = (): number => {
    const frame = frameRecord(Uint32Array.of(now(), nowMs() % HOUR_MS));
    writeSync(fd, frame, 0, frame.length, 0);
    return now();
  };
  return { now, note, close: () => closeSync(fd) };
}

/** 0 when it was never noted, or is damaged. */
function readNotedMs(path: string): number {
  if (!existsSync(path)) return 0;
  const [hours = 0, ms = 0] = scanRecords(readFileSync(path)).records[0]?.keys ?? [];
  return hours * HOUR_MS + ms;
}

async function newestHour(dir: string): Promise<number> {
  const hours = (await readdir(dir)).map((name) => Number(/^(\d+)[-.]/.exec(name)?.[1] ?? 0));
  return Math.max(0, ...hours);
}
