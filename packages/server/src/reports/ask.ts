/** Runs the queries of reports, within limits of time and memory, and reads how many instances they count. */

import { toIsoTime } from "@candor/envelope";
import type { Plan } from "@candor/plan";
import { ClickHouseError } from "@clickhouse/client";
import { CandorError } from "../errors.ts";
import { type QueryParams, readSql, type Store, TOO_LARGE, whileStoreAnswers } from "../store/client.ts";
import type { Period } from "./period.ts";

export interface ReportDependencies {
  readonly store: Store;
  readonly plan: { current(): { readonly plan: Plan } };
  /** Returns a time, in epoch milliseconds, before which all acknowledged messages have left the log. */
  readonly storedUntilMs: () => number;
}

export type Row = Readonly<Record<string, unknown>>;

const MAX_SECONDS = 20;
const MAX_MEMORY_BYTES = 1_000_000_000;

/**
 * Without the last setting, the engine reads on one thread if it has less than 1 GiB of free memory for each
 * thread. `join_use_nulls = 0` makes an absent number 0 and an absent text "".
 */
const SETTINGS = `SETTINGS max_execution_time = ${MAX_SECONDS}, max_memory_usage = ${MAX_MEMORY_BYTES}, join_use_nulls = 0, max_threads_min_free_memory_per_thread = 0`;

/** The files of `sql/reports/`, besides `population.sql`, which most of them include. */
const QUESTIONS = [
  "anonymity_facts",
  "anonymity_fields",
  "anonymity_instances",
  "client",
  "client_messages",
  "cohorts",
  "durations",
  "explore",
  "facts",
  "features",
  "funnel",
  "installs",
  "instance_list",
  "instance_statuses",
  "instance_timeline",
  "population_counts",
  "releases",
  "success_by_version",
  "support",
  "survival",
  "upgrade_lag",
  "versions_by_week",
] as const;

type Question = (typeof QUESTIONS)[number];

const POPULATION = bare("population");
const QUERIES = new Map(QUESTIONS.map((question) => [question, bare(question)]));

/** Reads a query's text without its comments, whose braces are not parameters. */
function bare(name: string): string {
  return readSql(`reports/${name}.sql`)
    .replace(/^\s*--.*\n/gm, "")
    .trim();
}

/**
 * Runs a file of `sql/reports/` for a period.
 * @param parts SQL for the file's own placeholders, such as `{order}`; never text from a client
 * @throws CandorError `store_away`, `report_too_large`
 */
export async function ask(
  store: Store,
  question: Question,
  period: Period,
  params: QueryParams = {},
  parts: Readonly<Record<string, string>> = {},
): Promise<Row[]> {
  const filled: Readonly<Record<string, string>> = {
    ...parts,
    population: POPULATION.replace("{segment}", () => period.segment),
  };
  const sql = (QUERIES.get(question) ?? "").replace(
    /\{(\w+)\}/g,
    (slot, part: string) => filled[part] ?? slot,
  );
  return whileStoreAnswers(async () => {
    try {
      return await store.query(`${sql}\n${SETTINGS}`, { ...period.params, ...params });
    } catch (error) {
      if (error instanceof ClickHouseError && TOO_LARGE.has(error.code))
        throw new CandorError("report_too_large", { seconds: String(MAX_SECONDS) }, error);
      throw error;
    }
  });
}

/** The fields with which the answer of every report on a population begins. */
export interface ReportHead {
  readonly from: string;
  readonly to: string;
  readonly zone: string;
  /** Messages acknowledged after this time may be missing. RFC 3339. */
  readonly asOf: string;
  readonly base: Base;
}

/** How many instances a report counts, and how many it leaves out. */
export interface Base {
  /** Number of counted instances. */
  readonly instances: number;
  readonly leftOut: readonly { readonly reason: string; readonly instances: number }[];
}

/** Counts of the population of a period. */
export interface Population {
  readonly head: ReportHead;
  readonly active: ActiveInstances;
  readonly byDay: readonly DayCount[];
  /** Number of counted instances by version. The key is "" for instances that report no version. */
  readonly versions: ReadonlyMap<string, number>;
}

export interface ActiveInstances {
  /** Number of instances with a heartbeat in the 1, 7 and 28 days up to the period's end. */
  readonly days1: number;
  readonly days7: number;
  readonly days28: number;
  /** Number of instances whose first heartbeat was in the period. */
  readonly newInstances: number;
}

export interface DayCount {
  readonly day: string;
  readonly instances: number;
}

export async function readHead(deps: ReportDependencies, period: Period): Promise<ReportHead> {
  return (await readPopulation(deps, period)).head;
}

export async function readPopulation(
  { store, storedUntilMs }: ReportDependencies,
  period: Period,
): Promise<Population> {
  const untilMs = storedUntilMs(); // before the query, because rows are stored while it runs
  const rows = await ask(store, "population_counts", period);
  const counted = rows.filter(({ leftOut }) => leftOut === "");
  const leftOut = sumBy(
    rows.filter((row) => row.leftOut !== ""),
    "leftOut",
  );
  const { from, to, zone } = period;
  const total = (column: string): number => counted.reduce((sum, row) => sum + Number(row[column]), 0);
  const instances = total("instances");
  const base = { instances, leftOut: [...leftOut].map(([reason, count]) => ({ reason, instances: count })) };
  return {
    head: { from, to, zone, asOf: toIsoTime(untilMs), base },
    active: {
      days1: total("active1"),
      days7: total("active7"),
      days28: total("active28"),
      newInstances: total("newInstances"),
    },
    byDay: sumDays(counted),
    versions: sumBy(counted, "version"),
  };
}

function sumBy(rows: readonly Row[], column: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const row of rows) {
    const value = String(row[column]);
    sums.set(value, (sums.get(value) ?? 0) + Number(row.instances));
  }
  return sums;
}

/**
 * Adds up the instances of each day over all rows. `onDays` is a pair of lists: the days, and the number of
 * instances on each.
 */
function sumDays(rows: readonly Row[]): DayCount[] {
  const sums = new Map<string, number>();
  for (const { onDays } of rows) {
    const [days, counts]: readonly (readonly unknown[])[] = Array.isArray(onDays) ? onDays : [[], []];
    for (const [n, day] of (days ?? []).entries())
      sums.set(String(day), (sums.get(String(day)) ?? 0) + Number(counts?.[n]));
  }
  return [...sums].sort().map(([day, instances]) => ({ day, instances }));
}

/** Returns a list of numbers, which the store sends as texts; none if it is not a list. */
export function toNumbers(list: unknown): number[] {
  return Array.isArray(list) ? list.map(Number) : [];
}

/** Returns the share, from 0 to 1, or null if `whole` is 0. */
export function shareOf(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
