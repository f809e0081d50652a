/** Reports the plan in force, and what was dropped and trimmed in a period. */
import { PLAN_SOURCES, type Plan, type PlanMode } from "@candor/plan";
import type { PlanInForce } from "../enforce/plan-in-force.ts";
import { readSql, type Store, whileStoreAnswers } from "../store/client.ts";
import type { PlanStore } from "../store/plan-store.ts";
import type { Period } from "./period.ts";

const COUNTS_SQL = readSql("query/plan_counts.sql");

/** The answer of GET /api/reports/plan. */
export interface PlanReport {
  readonly product: string;
  readonly planVersion: number;
  /** Why the current content of the plan's file is not in force; absent if it is. */
  readonly fault?: string;
  readonly modes: Readonly<Record<string, PlanMode>>;
  /** Days, `YYYY-MM-DD`, both inclusive. */
  readonly from: string;
  readonly to: string;
  /** How often values were trimmed. */
  readonly trimmed: readonly Counted[];
  /** How many messages the plan dropped. */
  readonly refused: readonly Omit<Counted, "path">[];
}

interface Counted {
  readonly source: string;
  /** The declared event; `*` if the plan does not declare the event for this source. */
  readonly event: string;
  readonly path: string;
  readonly reason: string;
  readonly count: number;
}

export interface PlanReportDependencies {
  readonly store: Store;
  readonly plan: PlanInForce;
  readonly planStore: Pick<PlanStore, "keepCounts">;
}

/**
 * Reports the counts up to this moment. Counts that are not stored yet are stored first.
 * @throws CandorError `store_away`
 */
export async function reportPlan(deps: PlanReportDependencies, { from, to }: Period): Promise<PlanReport> {
  const { plan: inForce, store, planStore } = deps;
  const counted = await whileStoreAnswers(async () => {
    await planStore.keepCounts();
    return store.query(COUNTS_SQL, { from, to });
  });
  const rows = counted.map(toCounted);
  const { plan } = inForce.current();
  const fault = inForce.fault();
  return {
    product: plan.product,
    planVersion: plan.version,
    ...(fault === undefined ? {} : { fault }),
    modes: modesOf(plan),
    from,
    to,
    trimmed: rows.filter(({ path }) => path !== ""),
    refused: rows.filter(({ path }) => path === "").map(({ path: _none, ...row }) => row),
  };
}

function toCounted(row: Record<string, unknown>): Counted {
  return {
    source: String(row.source),
    event: String(row.event),
    path: String(row.path),
    reason: String(row.reason),
    count: Number(row.total),
  };
}

function modesOf(plan: Plan): Record<string, PlanMode> {
  const modes: Record<string, PlanMode> = {};
  for (const name of PLAN_SOURCES) {
    const mode = plan.sources[name]?.mode;
    if (mode !== undefined) modes[name] = mode;
  }
  return modes;
}
