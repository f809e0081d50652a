/** Counts the hours for which collectors have run on a data folder. */
import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { frameRecord, scanKeys } from "./record.ts";

const HOUR_MS = 3_600_000;
const FILE = "running-hours";

/**
 * Counts the hours for which collectors have run on a data folder, summed over all processes. The count does
 * not depend on the machine's clock, and never increases faster than real time.
 */
export interface RunningHours {
  /** Returns the whole hours so far. */
  now(): number;
  /**
   * Returns the same as `now`, and saves the count, from which the next process continues. The file is not
   * flushed: after a power cut, the next process may continue from a count that is some seconds old.
   */
  note(): number;
  close(): void;
}

/**
 * Opens the count of a folder. It continues from the saved count, or from the newest hour in the names of the
 * folder's files if that is later.
 * @param dir the folder of the key files and journals, whose names begin with the running hour in which they
 * were made
 * @param runningMs returns how long this process has run, in milliseconds
 */
export async function openRunningHours(
  dir: string,
  runningMs: () => number = () => performance.now(),
): Promise<RunningHours> {
  const path = join(dir, FILE);
  const beforeMs = Math.max(readNotedMs(path), HOUR_MS * (await newestHour(dir)));
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  const nowMs = (): number => beforeMs + runningMs();
  const note = (): number => {
    const ms = nowMs();
    const hours = toHours(ms);
    const frame = frameRecord(Uint32Array.of(hours, ms % HOUR_MS));
    writeSync(fd, frame, 0, frame.length, 0);
    return hours;
  };
  return { now: () => toHours(nowMs()), note, close: () => closeSync(fd) };
}

function toHours(ms: number): number {
  return Math.floor(ms / HOUR_MS);
}

/** Returns the saved count in milliseconds; 0 if it was never saved or is damaged. */
function readNotedMs(path: string): number {
  if (!existsSync(path)) return 0;
  const [hours = 0, ms = 0] = scanKeys(readFileSync(path)).keys[0] ?? [];
  return hours * HOUR_MS + ms;
}

async function newestHour(dir: string): Promise<number> {
  const hours = (await readdir(dir)).map((name) => Number(/^(\d+)[-.]/.exec(name)?.[1] ?? 0));
  return Math.max(0, ...hours);
}
