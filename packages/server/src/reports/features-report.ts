/** Reports which features are used: by how many instances, how often, with what outcome, and how fast. */

import { type Plan, usageEventsOf } from "@candor/plan";
import { invalidQuery } from "../errors.ts";
import { quoteText } from "../store/sql-text.ts";
import {
  ask,
  type ReportDependencies,
  type ReportHead,
  type Row,
  readHead,
  shareOf,
  toNumbers,
} from "./ask.ts";
import { type Period, readCount } from "./period.ts";

export const FEATURE_PARAMETERS = ["at_least", "by"] as const;

/** The answer of GET /api/reports/features. */
export interface FeaturesReport extends ReportHead {
  /** How often an instance must have used a feature in the period to be counted for it. */
  readonly atLeast: number;
  /**
   * At most 1000, those used by the most instances first. For uses, the period's days are days in UTC,
   * whatever the zone.
   */
  readonly features: readonly Feature[];
}

export interface Feature {
  readonly source: string;
  readonly event: string;
  /** The value of the dimension or fact in `by`; absent without `by`. */
  readonly value?: string;
  readonly instances: number;
  /** Share of the counted instances, from 0 to 1; null if there are none. */
  readonly share: number | null;
  readonly count: number;
  /** Share of successes among the uses with an outcome, from 0 to 1; null if there are none. */
  readonly successShare: number | null;
  /** Durations of the uses of all instances, also of those left out; null if none was measured. */
  readonly durations: Durations | null;
}

/**
 * Percentiles of whole milliseconds (fractions are cut off): exact below 32 ms, else within 3.1 % of the
 * exact value.
 */
export interface Durations {
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export async function reportFeatures(
  deps: ReportDependencies,
  period: Period,
  parameters: URLSearchParams,
): Promise<FeaturesReport> {
  const atLeast = readCount(parameters, "at_least", { otherwise: 1, least: 1, most: 1_000_000 });
  const by = parameters.get("by");
  const value = by === null ? "''" : dimensionOf(deps.plan.current().plan, by);
  const [head, rows, took] = await Promise.all([
    readHead(deps, period),
    ask(deps.store, "features", period, { atLeast }, { value }),
    ask(deps.store, "durations", period, {}, { value }),
  ]);
  const durations = new Map<string, Durations>();
  for (const row of took) durations.set(keyOf(row), toDurations(row));
  return {
    ...head,
    atLeast,
    features: rows.map((row) => {
      const instances = Number(row.instances);
      const outcomes = Number(row.succeeded) + Number(row.failed);
      return {
        source: String(row.source),
        event: String(row.event),
        ...(by === null ? {} : { value: String(row.value) }),
        instances,
        share: shareOf(instances, head.base.instances),
        count: Number(row.count),
        successShare: shareOf(Number(row.succeeded), outcomes),
        durations: durations.get(keyOf(row)) ?? null,
      };
    }),
  };
}

function keyOf({ source, event, value }: Row): string {
  return JSON.stringify([source, event, value]);
}

/**
 * Returns the SQL expression for a dimension or a fact of usage events.
 * @throws CandorError `query_invalid` if the plan does not mark `name` as either
 */
function dimensionOf(plan: Plan, name: string): string {
  const fields = usageEventsOf(plan).flatMap((event) => Object.entries(event.fields));
  const found = fields.find(([known, field]) => known === name && (field.dimension || field.fact));
  if (found !== undefined)
    return `JSONExtractString(${found[1].dimension ? "dimensions" : "facts"}, ${quoteText(name)})`;
  const known = fields.filter(([, { dimension, fact }]) => dimension || fact).map(([one]) => one);
  throw invalidQuery(
    known.length === 0
      ? "The plan marks no dimensions. Mark fields of usage events with `dimension: true`."
      : `by is one of ${[...new Set(known)].sort().join(", ")}.`,
  );
}

function toDurations({ count, buckets }: Row): Durations {
  const [p50 = 0, p95 = 0, p99 = 0] = toNumbers(buckets);
  return { count: Number(count), p50Ms: middleOf(p50), p95Ms: middleOf(p95), p99Ms: middleOf(p99) };
}

/** Returns the middle of a bucket of usage_durations.sql, in milliseconds. */
export function middleOf(bucket: number): number {
  if (bucket < 32) return bucket;
  const octave = Math.floor(bucket / 16) - 1;
  const least = (16 + (bucket % 16)) * 2 ** octave;
  return least + (2 ** octave - 1) / 2;
}
