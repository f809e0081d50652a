/** Answers the maker's own questions about one event: how often, by whom, how much, by up to three properties. */
import { labelOf, type Plan } from "@candor/plan";
import { invalidQuery } from "../errors.ts";
import { isEvent } from "../store/derived-columns.ts";
import {
  ask,
  type ReportDependencies,
  type ReportHead,
  type Row,
  readHead,
  shareOf,
  toNumbers,
} from "./ask.ts";
import {
  findEvent,
  findProperty,
  groupOf,
  isSpan,
  type Properties,
  propertiesOf,
  readWhere,
} from "./event-properties.ts";
import { type Period, readCount, readOne, WHERE } from "./period.ts";

export const EXPLORE_PARAMETERS = ["event", "measure", "of", "by", "limit", WHERE] as const;
export const EXPLORE_REPEATED = ["by", WHERE] as const;

const MEASURES = ["count", "instances", "people", "sum", "percentiles"] as const;
type Measure = (typeof MEASURES)[number];

/** The columns of each measure, besides `count` and `instances`, and the one by which groups are ordered. */
const COLUMNS: Readonly<Record<Measure, { readonly sql: string; readonly order: string }>> = {
  count: { sql: "", order: "count" },
  instances: { sql: "", order: "instances" },
  people: { sql: ", uniqExactIf((iid, userId), userId != '') AS people", order: "people" },
  sum: { sql: ", count(number) AS values, sum(number) AS sum", order: "sum" },
  percentiles: {
    sql: ", count(number) AS values, min(number) AS least, max(number) AS most, quantilesExact(0.5, 0.95, 0.99)(number) AS percentiles",
    order: "count",
  },
};

const MAX_BY = 3;
const MAX_GROUPS = 1000;

/** The answer of GET /api/reports/explore. */
export interface ExploreReport extends ReportHead {
  /** The event's type and name. */
  readonly event: string;
  readonly measure: Measure;
  /** The property that is added up or has percentiles; absent for the other measures. */
  readonly of?: string;
  readonly by: readonly string[];
  readonly total: Explored;
  /** Number of groups; `rows` has the largest of them. 0 without `by`. */
  readonly groups: number;
  /**
   * Largest first by the measure (for `percentiles`, by `count`). If the first of `by` is `day`, `week` or
   * `hour`, in the order of time, and then largest first.
   */
  readonly rows: readonly ExploredGroup[];
}

/** What counted instances did. */
export interface Explored {
  /** Number of events. */
  readonly count: number;
  readonly instances: number;
  /** Share of the counted instances, from 0 to 1; null if there are none. */
  readonly share: number | null;
  /**
   * For `people`: number of different pseudonyms (`userId`) within an instance, added up over all instances. Nothing tells whether
   * two instances have the same person.
   */
  readonly people?: number;
  /** For `sum` and `percentiles`: how many of the events have a number. */
  readonly values?: number;
  readonly sum?: number;
  /** For `percentiles`, exact; null if no event has a number. */
  readonly percentiles?: Percentiles | null;
}

export interface ExploredGroup extends Explored {
  /** A value for each of `by`; `unknown` for what is absent or empty. */
  readonly by: readonly string[];
}

/** Values that occurred: `p95` is the least that is above 95 % of all. */
export interface Percentiles {
  readonly min: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** @throws CandorError `query_invalid`, `store_away`, `report_too_large` */
export async function reportExplore(
  deps: ReportDependencies,
  period: Period,
  parameters: URLSearchParams,
): Promise<ExploreReport> {
  const { plan } = deps.plan.current();
  const event = findEvent(plan, "event", parameters.get("event"));
  const properties = propertiesOf(plan, event);
  const measure = readOne(parameters, "measure", MEASURES, "count");
  const of = readNumber(parameters, measure, properties);
  const { by, keys } = readBy(parameters, plan, properties);
  const where = readWhere(parameters, properties);
  const limit = readCount(parameters, "limit", { otherwise: MAX_GROUPS, least: 1, most: MAX_GROUPS });
  const parts = {
    isEvent: isEvent(event),
    where: where.sql,
    keys: by.length === 0 ? "CAST([], 'Array(String)')" : `[${keys.join(", ")}]`,
    isTotal: by.length === 0 ? "1" : "grouping(keys)",
    grouping: by.length === 0 ? "keys" : "GROUPING SETS ((keys), ())",
    number: of?.sql ?? "NULL",
    measure: COLUMNS[measure].sql,
    order: COLUMNS[measure].order,
  };
  const [head, rows] = await Promise.all([
    readHead(deps, period),
    ask(deps.store, "explore", period, { ...where.params, limit: limit + 1 }, parts),
  ]);
  const toExplored = (row: Row): Explored => toAnswer(row, measure, head.base.instances);
  const [total = {}, ...groups] = rows;
  return {
    ...head,
    event: labelOf(event),
    measure,
    ...(of === undefined ? {} : { of: of.name }),
    by,
    total: toExplored(total),
    groups: Math.max(0, Number(total.groups ?? 0) - 1),
    rows: inOrder(
      by,
      groups.map((row) => ({ by: toTexts(row.keys), ...toExplored(row) })),
    ),
  };
}

/** Returns SQL for the number that a measure needs; undefined if it needs none. */
function readNumber(
  parameters: URLSearchParams,
  measure: Measure,
  properties: Properties,
): { readonly name: string; readonly sql: string } | undefined {
  const name = parameters.get("of");
  if (measure !== "sum" && measure !== "percentiles") {
    if (name !== null) throw invalidQuery("of is only for measure=sum and measure=percentiles.");
    return undefined;
  }
  const numbers = new Map([...properties].filter(([, { number }]) => number !== undefined));
  if (numbers.size === 0)
    throw invalidQuery(`The plan declares no numbers of this event, so it has no ${measure}.`);
  const { number = "NULL" } = findProperty(numbers, "of", name ?? "");
  return { name: name ?? "", sql: number };
}

function readBy(
  parameters: URLSearchParams,
  plan: Plan,
  properties: Properties,
): { readonly by: readonly string[]; readonly keys: readonly string[] } {
  const by = parameters.getAll("by");
  if (by.length > MAX_BY) throw invalidQuery(`by is given at most ${MAX_BY} times.`);
  if (new Set(by).size < by.length) throw invalidQuery("by is given twice with the same value.");
  return { by, keys: by.map((name) => groupOf(plan, properties, name)) };
}

function toAnswer(row: Row, measure: Measure, instancesCounted: number): Explored {
  const instances = Number(row.instances ?? 0);
  const common = { count: Number(row.count ?? 0), instances, share: shareOf(instances, instancesCounted) };
  const values = Number(row.values ?? 0);
  if (measure === "people") return { ...common, people: Number(row.people ?? 0) };
  if (measure === "sum") return { ...common, values, sum: Number(row.sum ?? 0) };
  if (measure === "percentiles")
    return { ...common, values, percentiles: values === 0 ? null : toPercentiles(row) };
  return common;
}

function toPercentiles({ least, most, percentiles }: Row): Percentiles {
  const [p50 = 0, p95 = 0, p99 = 0] = toNumbers(percentiles);
  return { min: Number(least), p50, p95, p99, max: Number(most) };
}

function toTexts(keys: unknown): string[] {
  return Array.isArray(keys) ? keys.map(String) : [];
}

function inOrder(by: readonly string[], rows: readonly ExploredGroup[]): readonly ExploredGroup[] {
  if (!isSpan(by[0])) return rows;
  const timeOf = (row: ExploredGroup): number => Date.parse(row.by[0] ?? "");
  // Sorting keeps the order of rows of the same time: the largest first.
  return rows.toSorted((a, b) => timeOf(a) - timeOf(b));
}
