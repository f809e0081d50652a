/** For tests: a clock that only the test moves. */
import type { Clock } from "../clock.ts";

interface Task {
  readonly dueAtMs: number;
  readonly run: () => void;
}

export interface ManualClock extends Clock {
  /** Lets time pass: runs the tasks that become due, in order, and lets the work they start proceed. */
  advance(ms: number): Promise<void>;
  /** Sets the machine's clock forward or back, without time passing. */
  jump(ms: number): void;
  /** The number of waiting tasks. */
  readonly planned: () => number;
}

/** How long before the test the machine appears to have booted. */
const BOOTED_BEFORE_MS = 60 * 60_000;

export function createManualClock(startMs: number): ManualClock {
  let elapsedMs = 0;
  let offsetMs = startMs;
  const tasks = new Set<Task>();
  return {
    now: () => offsetMs + elapsedMs,
    monotonic: () => elapsedMs,
    sinceBoot: () => BOOTED_BEFORE_MS + elapsedMs,
    bootId: () => undefined,
    later: (afterMs, run) => {
      const task = { dueAtMs: elapsedMs + Math.max(0, afterMs), run };
      tasks.add(task);
      return () => tasks.delete(task);
    },
    jump: (ms) => {
      offsetMs += ms;
    },
    planned: () => tasks.size,
    advance: async (ms) => {
      const endMs = elapsedMs + ms;
      for (;;) {
        const [next] = [...tasks].sort((one, other) => one.dueAtMs - other.dueAtMs);
        if (next === undefined || next.dueAtMs > endMs) break;
        tasks.delete(next);
        elapsedMs = Math.max(elapsedMs, next.dueAtMs);
        next.run();
        await settle();
      }
      elapsedMs = endMs;
    },
  };
}

/** Lets file and socket operations proceed, which take real time. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
