/**
 * Applies the plan to the store, rebuilds and compares rollups, and stores the counts of what the plan
 * dropped and trimmed.
 */
import { SingleFlight } from "@candor/envelope/concurrency";
import type { Plan } from "@candor/plan";
import type { PlanCounts } from "../enforce/plan-counts.ts";
import { causeOf } from "../errors.ts";
import type { Store } from "./client.ts";
import type { Alone } from "./drain.ts";
import { everyNight } from "./nightly.ts";
import { applyPlanToStore } from "./plan-columns.ts";
import { retryUntilDone } from "./retry.ts";
import { askForRebuild, compareWithEvents, type RollupDifference, rebuildPending } from "./rollups.ts";

const KEEP_EVERY_MS = 10_000;

export interface PlanStoreOptions {
  readonly store: Store;
  readonly plan: () => Plan;
  readonly counts: PlanCounts;
  /** Runs a task while the drain is paused. */
  readonly alone: Alone;
  readonly now: () => number;
  readonly report: (line: string) => void;
}

/**
 * Keeps in the store what the plan requires: its columns, rollups and retention, and the counts of what it
 * dropped and trimmed.
 */
export interface PlanStore {
  /** Applies the plan in force to the store. Rejects while the store is unreachable. */
  apply(): Promise<void>;
  /** Applies the plan and rebuilds the noted months in the background, retrying until both succeed. */
  applySoon(): void;
  /** Notes that months of the rollups have to be rebuilt from the events. The notes survive a crash. */
  noteMonths(months: readonly number[]): Promise<void>;
  /**
   * Rebuilds the noted months. Rejects while the store is unreachable; the remaining months then stay noted.
   */
  rebuild(): Promise<void>;
  /**
   * Returns where the rollups differ from the events. The list is empty unless there is a bug. Also runs by
   * itself once a night.
   */
  compare(): Promise<RollupDifference[]>;
  /** The result of the last comparison; undefined if there was none since the start. */
  lastComparison(): Comparison | undefined;
  /**
   * Stores the counts since the last call. Rejects while the store is unreachable; the counts are then kept
   * for the next attempt.
   */
  keepCounts(): Promise<void>;
  /** Ends the background work, and makes a last attempt to store the counts. */
  close(): Promise<void>;
}

/** When the rollups were compared with the events, and how many differences there were. */
export interface Comparison {
  /** Epoch milliseconds. */
  readonly atMs: number;
  readonly differences: number;
}

export function openPlanStore(options: PlanStoreOptions): PlanStore {
  const { store, plan, counts, alone, now, report } = options;
  const closing = new AbortController();
  // Two successive plans must not be applied at the same time.
  const applying = new SingleFlight(() => applyPlanToStore(store, plan()));
  const apply = (): Promise<void> => applying.runAfresh();
  // Each month is rebuilt while the drain is paused, because a row that arrives meanwhile would be missing
  // from the rebuilt rollups.
  const rebuilding = new SingleFlight(() => rebuildPending(store, plan(), alone));
  const rebuild = (): Promise<void> => rebuilding.runAfresh();
  const applyUntilDone = (): Promise<void> =>
    retryUntilDone(
      async () => {
        await apply();
        await rebuild();
      },
      closing.signal,
      (error) => report(`The store is not in step with the plan yet (${causeOf(error)}). It is tried again.`),
    );
  let comparison: Comparison | undefined;
  // Shared by all who ask, because each comparison keeps the drain waiting.
  const comparing = new SingleFlight(async () => {
    const differences = await alone(() => compareWithEvents(store, plan()));
    comparison = { atMs: now(), differences: differences.length };
    if (differences.length > 0)
      report("The tables that reports read differ from the events. Run: candor rebuild");
    return differences;
  });
  const compare = (): Promise<RollupDifference[]> => comparing.runAfresh();
  const cancelNightly = everyNight({ task: compare, now });
  const keeping = new SingleFlight(async () => {
    const taken = counts.take();
    if (taken.length === 0) return;
    const day = new Date(now()).toISOString().slice(0, 10);
    try {
      await store.insertRows(
        "plan_counts",
        taken.map((count) => ({ day, ...count })),
      );
    } catch (error) {
      counts.restore(taken);
      throw error;
    }
  });
  const keepCounts = (): Promise<void> => keeping.runAfresh();
  const timer = setInterval(() => keepCounts().catch(() => {}), KEEP_EVERY_MS).unref();
  return {
    apply,
    applySoon: () => void applyUntilDone(),
    noteMonths: (months) => askForRebuild(store, months),
    rebuild,
    compare,
    lastComparison: () => comparison,
    keepCounts,
    close: async () => {
      closing.abort();
      clearInterval(timer);
      cancelNightly();
      await keepCounts().catch(() => {});
    },
  };
}
