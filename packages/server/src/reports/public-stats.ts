/** Makes the statistics that anybody may read: coarse enough that no difference of two of them tells of a few instances. */
import { SingleFlight } from "@candor/envelope/concurrency";
import { factsOf } from "@candor/plan";
import { ask, type ReportDependencies, readPopulation } from "./ask.ts";
import { addDays, readPeriod, UNKNOWN } from "./period.ts";

const DAYS = 28;

/** The answer of GET /stats.json. All numbers are rounded down to multiples of `minGroup`. */
export interface PublicStats {
  readonly product: string;
  /** First and last day of the heartbeats that are counted, in UTC. */
  readonly from: string;
  readonly to: string;
  readonly minGroup: number;
  /** Instances that were active in these days and count, as in reports. */
  readonly instances: number;
  readonly facts: readonly PublicFact[];
}

export interface PublicFact {
  readonly name: string;
  /** Largest first. Values of fewer than `minGroup` instances are left out. */
  readonly values: readonly { readonly value: string; readonly instances: number }[];
}

/**
 * Rounds a number of instances down to a multiple of the smallest group. So the difference of any two published
 * numbers, of one table or of two, of one day or of two, is 0 or at least a whole group.
 */
export function coarsen(instances: number, minGroup: number): number {
  return minGroup * Math.floor(instances / minGroup);
}

/** Makes the statistics of the 28 days before a day. @throws CandorError `store_away`, `report_too_large` */
async function makePublicStats(
  deps: ReportDependencies,
  minGroup: number,
  nowMs: number,
): Promise<PublicStats> {
  const { plan } = deps.plan.current();
  const to = addDays(new Date(nowMs).toISOString().slice(0, 10), -1);
  const from = addDays(to, 1 - DAYS);
  const period = readPeriod(new URLSearchParams({ from, to }), { plan, nowMs });
  const names = factsOf(plan).filter((name) => name !== "environment");
  const [{ head }, rows] = await Promise.all([
    readPopulation(deps, period),
    ask(deps.store, "facts", period, { names }),
  ]);
  const valuesOf = (name: string): PublicFact["values"] =>
    rows
      .filter((row) => row.name === name)
      .map(({ value, instances }) => ({
        value: value === "" ? UNKNOWN : String(value),
        instances: coarsen(Number(instances), minGroup),
      }))
      .filter(({ instances }) => instances > 0)
      .sort((a, b) => b.instances - a.instances || (a.value < b.value ? -1 : 1));
  return {
    product: plan.product,
    from,
    to,
    minGroup,
    instances: coarsen(head.base.instances, minGroup),
    facts: names.map((name) => ({ name, values: valuesOf(name) })),
  };
}

/**
 * Creates a function that returns the statistics of the last whole days. They are made once a day, whoever asks and
 * however often.
 */
export function createPublicStats(
  deps: ReportDependencies,
  minGroup: number,
  now: () => number,
): () => Promise<PublicStats> {
  let made: { readonly day: number; readonly stats: PublicStats } | undefined;
  const making = new SingleFlight(async () => {
    const nowMs = now();
    const stats = await makePublicStats(deps, minGroup, nowMs);
    made = { day: dayOf(nowMs), stats };
    return stats;
  });
  return async () => (made?.day === dayOf(now()) ? made.stats : making.run());
}

function dayOf(ms: number): number {
  return Math.floor(ms / 86_400_000);
}
