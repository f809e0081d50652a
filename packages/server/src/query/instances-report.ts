/** Reports instances whose state folder was copied. */
import { toIsoTime } from "@candor/envelope";
import type { Plan } from "@candor/plan";
import { readSql, type Store, whileStoreAnswers } from "../store/client.ts";
import { instanceIdOf } from "../store/instance-rows.ts";
import { readDays } from "./report-days.ts";

const CLONES_SQL = readSql("query/cloned_instances.sql");
const MAX_CLONES = 1000;

/** The answer of GET /api/reports/instances. */
export interface InstancesReport {
  /** Days, `YYYY-MM-DD`, both inclusive. */
  readonly from: string;
  readonly to: string;
  /**
   * Instances that send from two places at once, because their state folder was copied. At most 1000, the
   * most recently seen first.
   */
  readonly cloned: readonly ClonedInstance[];
}

export interface ClonedInstance {
  readonly instanceId: string;
  /** Number of starts that sent a heartbeat in these days, of the original and of its copies together. */
  readonly boots: number;
  /** Times of the first and the last heartbeat in these days, RFC 3339. */
  readonly firstSeen: string;
  readonly lastSeen: string;
}

export interface InstancesReportDependencies {
  readonly store: Store;
  readonly plan: { current(): { readonly plan: Plan } };
  readonly now: () => number;
}

/** @throws CandorError `query_invalid`, `store_away` */
export async function reportInstances(
  parameters: URLSearchParams,
  { store, plan, now }: InstancesReportDependencies,
): Promise<InstancesReport> {
  const { from, to } = readDays(parameters, now());
  const sql = CLONES_SQL.replace("{instanceIdOf}", () => instanceIdOf(plan.current().plan, "server"));
  const rows = await whileStoreAnswers(() => store.query(sql, { from, to, limit: MAX_CLONES }));
  return { from, to, cloned: rows.map(toCloned) };
}

function toCloned(row: Record<string, unknown>): ClonedInstance {
  return {
    instanceId: String(row.instanceId),
    boots: Number(row.boots),
    firstSeen: toIsoTime(Number(row.firstSeenMs)),
    lastSeen: toIsoTime(Number(row.lastSeenMs)),
  };
}
