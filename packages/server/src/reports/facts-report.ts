/** Reports the facts of instances: how many instances have each value, compared with the period before. */
import { factsOf } from "@candor/plan";
import { ask, type ReportDependencies, type ReportHead, readHead, shareOf } from "./ask.ts";
import { nameOf, type Period } from "./period.ts";

/** The answer of GET /api/reports/facts. */
export interface FactsReport extends ReportHead {
  readonly facts: readonly { readonly name: string; readonly values: readonly FactValue[] }[];
}

export interface FactValue {
  /** `unknown` for instances that do not report this fact. */
  readonly value: string;
  readonly instances: number;
  /** Share of the counted instances, from 0 to 1; null if there are none. */
  readonly share: number | null;
  readonly instancesBefore: number;
  readonly shareBefore: number | null;
}

export async function reportFacts(deps: ReportDependencies, period: Period): Promise<FactsReport> {
  const names = factsOf(deps.plan.current().plan);
  const [head, now, before] = await Promise.all([
    readHead(deps, period),
    countFacts(deps, period, names),
    countFacts(deps, period.before(), names),
  ]);
  return {
    ...head,
    facts: names.map((name) => {
      const ofNow = now.get(name) ?? new Map<string, number>();
      const ofBefore = before.get(name) ?? new Map<string, number>();
      const values = [...new Set([...ofNow.keys(), ...ofBefore.keys()])];
      const [total, totalBefore] = [sumOf(ofNow), sumOf(ofBefore)];
      return {
        name,
        values: values.map((value) => {
          const instances = ofNow.get(value) ?? 0;
          const instancesBefore = ofBefore.get(value) ?? 0;
          return {
            value: nameOf(value),
            instances,
            share: shareOf(instances, total),
            instancesBefore,
            shareBefore: shareOf(instancesBefore, totalBefore),
          };
        }),
      };
    }),
  };
}

/** Counts instances by each value of each of these facts. The value is "" for instances that do not tell. */
export async function countFacts(
  { store }: ReportDependencies,
  period: Period,
  names: readonly string[],
): Promise<Map<string, Map<string, number>>> {
  const counts = new Map<string, Map<string, number>>();
  for (const { name, value, instances } of await ask(store, "facts", period, { names })) {
    const values = counts.get(String(name)) ?? new Map<string, number>();
    counts.set(String(name), values.set(String(value), Number(instances)));
  }
  return counts;
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
