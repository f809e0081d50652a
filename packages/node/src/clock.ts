/** Provides the machine's clocks and timers, which tests can replace. */
import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import { performance } from "node:perf_hooks";
import { clearTimeout, setTimeout } from "node:timers";

export interface Clock {
  /** Epoch milliseconds of the machine's clock, which may jump. */
  readonly now: () => number;
  /** Milliseconds since some fixed moment; never jumps. */
  readonly monotonic: () => number;
  /**
   * Milliseconds since the machine booted, including suspended time. Setting the clock does not change it.
   */
  readonly sinceBoot: () => number;
  /** An id that differs for each boot of the machine; undefined if the system provides none. */
  readonly bootId: () => string | undefined;
  /** Schedules a task without keeping the process alive. @returns a cancel function */
  readonly later: (afterMs: number, task: () => void) => () => void;
}

/** The longest delay that setTimeout supports. */
export const MAX_TIMER_MS = 2_147_483_647;

/**
 * Uses `node:timers`, because the fake timers in a product's tests replace the global ones, and `flush` must
 * still return.
 */
export const machineClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  sinceBoot: () => uptime() * 1000,
  bootId: () => {
    try {
      return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    } catch {
      return undefined; // only Linux has one
    }
  },
  later: (afterMs, task) => {
    const timer = setTimeout(task, Math.min(Math.max(afterMs, 0), MAX_TIMER_MS)).unref();
    return () => clearTimeout(timer);
  },
};

/**
 * Schedules a task. Aborting the signal cancels the task; if the signal is already aborted, nothing is
 * scheduled.
 */
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
