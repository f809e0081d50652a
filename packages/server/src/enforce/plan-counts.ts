import type { RefuseReason, TrimReason, Verdict } from "@candor/plan/runtime";
import type { Source } from "../config.ts";

/** What the plan took away, of one kind: never what it was. */
export interface PlanCount {
  readonly source: Source;
  /** The declared event, `*` for one that is not in the plan. */
  readonly event: string;
  /** The declared path; empty when the whole message was refused. */
  readonly path: string;
  readonly reason: TrimReason | RefuseReason;
  readonly planVersion: number;
  count: number;
}

/** Counts what the plan takes away, by event, declared path and reason. As bounded as the plan itself. */
export interface PlanCounts {
  add(source: Source, planVersion: number, verdict: Verdict): void;
  /** Since the start, for /metrics. */
  totals(): readonly Readonly<PlanCount>[];
  /** What was counted since the last call, to be kept in the store. */
  take(): readonly Readonly<PlanCount>[];
  /** Puts back what could not be kept. */
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
