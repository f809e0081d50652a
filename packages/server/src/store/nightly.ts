/** Runs a task once a night. */

const HOUR = 3;
const LOOK_EVERY_MS = 10 * 60_000;

export interface NightlyOptions {
  /** Called once after each 3 o'clock of the machine's time zone, within ten minutes. A rejection is ignored. */
  readonly task: () => Promise<unknown>;
  readonly now: () => number;
  /**
   * Calls `run` every `ms` milliseconds, and returns a cancel function. Default: `setInterval`, without
   * keeping the process alive.
   */
  readonly every?: (ms: number, run: () => void) => () => void;
}

/** Starts calling the task. @returns a cancel function */
export function everyNight({ task, now, every = everyMs }: NightlyOptions): () => void {
  let doneForMs = lastNight(now());
  return every(LOOK_EVERY_MS, () => {
    const nightMs = lastNight(now());
    if (nightMs <= doneForMs) return;
    doneForMs = nightMs;
    task().catch(() => {});
  });
}

/** Returns the last 3 o'clock of the machine's time zone, in epoch milliseconds. */
function lastNight(nowMs: number): number {
  const night = new Date(nowMs);
  night.setHours(HOUR, 0, 0, 0);
  if (night.getTime() > nowMs) night.setDate(night.getDate() - 1);
  return night.getTime();
}

function everyMs(ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms).unref();
  return () => clearInterval(timer);
}
