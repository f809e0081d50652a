import { uptime } from "node:os";
import { performance } from "node:perf_hooks";
import { clearTimeout, setTimeout } from "node:timers";

/** Time, as the SDK knows it; tests give another one. */
export interface Clock {
  /** Epoch milliseconds of the machine's clock, which may jump. */
  readonly now: () => number;
  /** Milliseconds since some moment, which never jump. */
  readonly monotonic: () => number;
  /** Milliseconds since the machine started, time in suspension included; nobody can set it. */
  readonly sinceBoot: () => number;
  /** Calls a task later, without keeping the process alive. @returns a cancel function */
  readonly later: (afterMs: number, task: () => void) => () => void;
}

/** The longest that setTimeout can wait. */
export const MAX_TIMER_MS = 2_147_483_647;

/** Uses `node:timers`: the fake timers of a product's tests replace the global ones, and `flush` has to return all the same. */
export const machineClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  sinceBoot: () => uptime() * 1000,
  later: (afterMs, task) => {
    const timer = setTimeout(task, Math.min(Math.max(afterMs, 0), MAX_TIMER_MS)).unref();
    return () => clearTimeout(timer);
  },
};

/** Calls a task later, unless the signal is aborted by then. */
export function planTask(
  clock: Pick<Clock, "later">,
  afterMs: number,
  task: () => void,
  signal: AbortSignal,
): void {
  if (signal.aborted) return;
  const cancel = clock.later(afterMs, () => {
    signal.removeEventListener("abort", cancel);
    task();
  });
  signal.addEventListener("abort", cancel, { once: true });
}
