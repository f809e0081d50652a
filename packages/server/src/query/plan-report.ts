import { parseTime } from "@candor/envelope";
import { PLAN_SOURCES, type Plan, type PlanMode } from "@candor/plan";
import type { PlanInForce } from "../enforce/plan-in-force.ts";
import { CandorError, causeOf } from "../errors.ts";
import { readSql, type Store } from "../store/client.ts";
import type { PlanStore } from "../store/plan-store.ts";

const COUNTS_SQL = readSql("query/plan_counts.sql");
const DEFAULT_DAYS = 30;
const DAY_MS = 24 * 3600 * 1000;

/** What the plan in force is, and what it took away: GET /api/reports/plan. */
export interface PlanReport {
  readonly product: string;
  readonly planVersion: number;
  /** Why the plan's file as it is now is not in force; absent when it is. */
  readonly fault?: string;
  readonly modes: Readonly<Record<string, PlanMode>>;
  /** Days, `YYYY-MM-DD`, both inclusive. */
  readonly from: string;
  readonly to: string;
  /** Messages from which something was taken at a declared path. */
  readonly trimmed: readonly Counted[];
  /** Messages that were refused whole. */
  readonly refused: readonly Omit<Counted, "path">[];
}

interface Counted {
  readonly source: string;
  /** The declared event; `*` for those that are not in the plan. */
  readonly event: string;
  readonly path: string;
  readonly reason: string;
  readonly count: number;
}

export interface PlanReportDependencies {
  readonly store: Store;
  readonly plan: PlanInForce;
  readonly planStore: Pick<PlanStore, "keepCounts">;
  readonly now: () => number;
}

/**
 * Counts until this moment: those that are not in the store yet are put there first.
 * @throws CandorError `query_invalid`, `store_away`
 */
export async function reportPlan(
  parameters: URLSearchParams,
  deps: PlanReportDependencies,
): Promise<PlanReport> {
  const { plan: inForce, store, planStore } = deps;
  const { from, to } = readDays(parameters, deps.now());
  const counted = await planStore
    .keepCounts()
    .then(() => store.query(COUNTS_SQL, { from, to }))
    .catch((error: unknown) => {
      throw new CandorError("store_away", { cause: causeOf(error) }, error);
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

function readDays(
  parameters: URLSearchParams,
  nowMs: number,
): { readonly from: string; readonly to: string } {
  for (const name of parameters.keys()) {
    if (name !== "from" && name !== "to")
      throw new CandorError("query_invalid", { why: "This report takes from and to, and nothing else." });
  }
  const day = (name: string, defaultMs: number): string => {
    const text = parameters.get(name);
    const atMs = text === null ? defaultMs : (parseTime(text) ?? parseTime(`${text}T00:00:00Z`));
    if (atMs === undefined) {
      const why = `${name} is not a time. Write a day, such as 2026-01-31, or a time in RFC 3339.`;
      throw new CandorError("query_invalid", { why });
    }
    return new Date(atMs).toISOString().slice(0, 10);
  };
  return { from: day("from", nowMs - DEFAULT_DAYS * DAY_MS), to: day("to", nowMs) };
}
