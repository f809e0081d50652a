/** Counts what the plan dropped and trimmed. */
import type { RefuseReason, TrimReason, Verdict } from "@candor/plan/runtime";
import type { Source } from "../config.ts";

/** How often messages were dropped, or values trimmed, for one reason. Never contains a value. */
export interface PlanCount {
  readonly source: Source;
  /** The declared event; `*` if the plan does not declare the event for this source. */
  readonly event: string;
  /** The declared path, with `*` for undeclared names; empty if the whole message was dropped. */
  readonly path: string;
  readonly reason: TrimReason | RefuseReason;
  readonly planVersion: number;
  count: number;
}

/**
 * Counts what the plan drops and trims, by source, event, declared path, reason and plan version. The number
 * of counts is bounded, because they contain no text that a client chose.
 */
export interface PlanCounts {
  add(source: Source, planVersion: number, verdict: Verdict): void;
  /** Returns the counts since the collector started, for /metrics. */
  totals(): readonly Readonly<PlanCount>[];
  /** Returns the counts since the last call, to be stored. */
  take(): readonly Readonly<PlanCount>[];
  /** Adds counts that could not be stored to those that the next `take` returns. */
  restore(counts: readonly Readonly<PlanCount>[]): void;
}

export function createPlanCounts(): PlanCounts {
  const totals = new Map<string, PlanCount>();
  let recent = new Map<string, PlanCount>();
  const count = (one: Readonly<PlanCount>): void => {
    addTo(totals, one);
    addTo(recent, one);
  };
  return {
    add: (source, planVersion, { event, refused, trims }) => {
      if (refused !== undefined) {
        count({ source, event, path: "", reason: refused, planVersion, count: 1 });
        return;
      }
      for (const { path, reason } of trims) count({ source, event, path, reason, planVersion, count: 1 });
    },
    totals: () => [...totals.values()],
    take: () => {
      const taken = [...recent.values()];
      recent = new Map();
      return taken;
    },
    restore: (counts) => {
      for (const one of counts) addTo(recent, one);
    },
  };
}

function addTo(counts: Map<string, PlanCount>, one: Readonly<PlanCount>): void {
  const key = `${one.source}\n${one.event}\n${one.path}\n${one.reason}\n${one.planVersion}`;
  const known = counts.get(key);
  if (known === undefined) counts.set(key, { ...one });
  else known.count += one.count;
}
