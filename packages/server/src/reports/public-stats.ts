/** Makes the statistics that anybody may read, so coarse that no difference between two numbers gives a few instances away. */
import { SingleFlight } from "@candor/envelope/concurrency";
import { factsOf } from "@candor/plan";
import { type ReportDependencies, readHead } from "./ask.ts";
import { countFacts } from "./facts-report.ts";
import { addDays, nameOf, readPeriod } from "./period.ts";

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
  const to = lastWholeDay(nowMs);
  const from = addDays(to, 1 - DAYS);
  const period = readPeriod(new URLSearchParams({ from, to }), { plan, nowMs });
  const names = factsOf(plan).filter((name) => name !== "environment");
  const [head, counts] = await Promise.all([readHead(deps, period), countFacts(deps, period, names)]);
  const valuesOf = (name: string): PublicFact["values"] =>
    [...(counts.get(name) ?? [])]
      .map(([value, instances]) => ({
        value: nameOf(value),
        instances: coarsen(instances, minGroup),
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
  let made: PublicStats | undefined;
  const making = new SingleFlight(async () => {
    made = await makePublicStats(deps, minGroup, now());
    return made;
  });
  return async () => (made?.to === lastWholeDay(now()) ? made : making.run());
}

/** Returns the day before a time, in UTC. */
function lastWholeDay(ms: number): string {
  return addDays(new Date(ms).toISOString().slice(0, 10), -1);
}
