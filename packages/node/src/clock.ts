/** Time, as the SDK knows it; tests give another one. */
export interface Clock {
  /** Epoch milliseconds of the machine's clock, which may jump. */
  readonly now: () => number;
  /** Milliseconds since some moment, which never jump. */
  readonly monotonic: () => number;
  /** Calls a task later, without keeping the process alive. @returns what calls it off */
  readonly later: (afterMs: number, task: () => void) => () => void;
}

/** The longest that setTimeout can wait. */
export const MAX_TIMER_MS = 2_147_483_647;

export const machineClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  later: (afterMs, task) => {
    const timer = setTimeout(task, Math.min(Math.max(afterMs, 0), MAX_TIMER_MS)).unref();
    return () => clearTimeout(timer);
  },
};
