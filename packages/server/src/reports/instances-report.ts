/**
 * Reports instances: how many are active, how many stay, and which were copied. Also lists them, and shows
 * the days of one.
 */

import { toIsoTime } from "@candor/envelope";
import { invalidQuery } from "../errors.ts";
import { readSql, whileStoreAnswers } from "../store/client.ts";
import { instanceIdOf } from "../store/instance-rows.ts";
import {
  type ActiveInstances,
  ask,
  type DayCount,
  type Population,
  type ReportDependencies,
  type ReportHead,
  readHead,
  readPopulation,
} from "./ask.ts";
import { addDays, type Period, readCount, readOne, withDays } from "./period.ts";

const CLONES_SQL = readSql("query/cloned_instances.sql");
const MAX_CLONES = 1000;
const ACTIVE_DAYS = 28;

/** The answer of GET /api/reports/instances. */
export interface InstancesReport extends ReportHead {
  readonly active: ActiveInstances;
  /**
   * Number of instances by the age of their last heartbeat: alive (up to 7 hours), late (up to 24 hours),
   * lapsed (up to 28 days) and gone.
   */
  readonly statuses: Readonly<Record<"alive" | "late" | "lapsed" | "gone", number>>;
  readonly activeByDay: readonly DayCount[];
  /** For each week, how many instances were first seen in it, and how many of them stayed. */
  readonly survival: readonly SurvivalWeek[];
  /**
   * Instances that send from two places at once, because their state folder was copied. At most 1000, the
   * most recently seen first.
   */
  readonly cloned: readonly ClonedInstance[];
}

export interface SurvivalWeek {
  /** The week's Monday. */
  readonly week: string;
  readonly instances: number;
  /** Of these instances, how many were seen again at least 1, 7, 28 and 90 days after their first heartbeat. */
  readonly day1: number;
  readonly day7: number;
  readonly day28: number;
  readonly day90: number;
}

export interface ClonedInstance {
  readonly instanceId: string;
  /** Number of starts that sent a heartbeat in the period, of the original and its copies together. */
  readonly boots: number;
  /** Times of the first and the last heartbeat in the period, RFC 3339. */
  readonly firstSeen: string;
  readonly lastSeen: string;
}

export async function reportInstances(deps: ReportDependencies, period: Period): Promise<InstancesReport> {
  const { store, storedUntilMs } = deps;
  const [{ head, active, byDay }, statuses, survival, cloned] = await Promise.all([
    readActive(deps, period),
    ask(store, "instance_statuses", period, { asOfMs: storedUntilMs() }),
    ask(store, "survival", period),
    readClones(deps, period),
  ]);
  const countOf = (status: string): number =>
    Number(statuses.find((row) => row.status === status)?.instances ?? 0);
  return {
    ...head,
    active,
    statuses: {
      alive: countOf("alive"),
      late: countOf("late"),
      lapsed: countOf("lapsed"),
      gone: countOf("gone"),
    },
    activeByDay: byDay,
    survival: survival.map(({ week, instances, day1, day7, day28, day90 }) => ({
      week: String(week),
      instances: Number(instances),
      day1: Number(day1),
      day7: Number(day7),
      day28: Number(day28),
      day90: Number(day90),
    })),
    cloned,
  };
}

/**
 * Reads the population of a period. `active` covers the 28 days up to the period's end even if the period is
 * shorter, except for `newInstances`.
 */
export async function readActive(deps: ReportDependencies, period: Period): Promise<Population> {
  const trailing = addDays(period.to, 1 - ACTIVE_DAYS);
  if (period.from <= trailing) return readPopulation(deps, period);
  const [population, { active }] = await Promise.all([
    readPopulation(deps, period),
    readPopulation(deps, withDays(period, trailing, period.to)),
  ]);
  return { ...population, active: { ...active, newInstances: population.active.newInstances } };
}

async function readClones(
  { store, plan }: ReportDependencies,
  { from, to }: Period,
): Promise<ClonedInstance[]> {
  const sql = CLONES_SQL.replace("{instanceIdOf}", () => instanceIdOf(plan.current().plan, "server"));
  const rows = await whileStoreAnswers(() => store.query(sql, { from, to, limit: MAX_CLONES }));
  return rows.map((row) => ({
    instanceId: String(row.instanceId),
    boots: Number(row.boots),
    firstSeen: toIsoTime(Number(row.firstSeenMs)),
    lastSeen: toIsoTime(Number(row.lastSeenMs)),
  }));
}

/** The answer of GET /api/reports/instances/list. */
export interface InstanceList extends ReportHead {
  readonly instances: readonly ListedInstance[];
}

export interface ListedInstance {
  readonly instanceId: string;
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** Number of days of the period on which the instance sent a heartbeat. */
  readonly activeDays: number;
  readonly facts: Readonly<Record<string, string>>;
  readonly country: string;
  /** Why the instance is not counted; "" if it is. */
  readonly leftOut: string;
}

const SORTS = ["last-seen", "first-seen", "active-days", "id"] as const;

const ORDERS: Readonly<Record<(typeof SORTS)[number], string>> = {
  "last-seen": "lastSeenMs DESC",
  "first-seen": "firstSeenMs DESC",
  "active-days": "activeDays DESC",
  id: "instance",
};

export const LIST_PARAMETERS = ["search", "sort", "limit", "offset", "everyone"] as const;
const MAX_PAGE = 1000;
const MAX_OFFSET = 1_000_000;

export async function listInstances(
  deps: ReportDependencies,
  period: Period,
  parameters: URLSearchParams,
): Promise<InstanceList> {
  const search = parameters.get("search") ?? "";
  if (search.length > 100)
    throw invalidQuery("search is the beginning of an instance's id, at most 100 characters.");
  const order = ORDERS[readOne(parameters, "sort", SORTS, "last-seen")];
  const params = {
    search,
    isEveryone: readOne(parameters, "everyone", ["true", "false"], "false"),
    limit: readCount(parameters, "limit", { otherwise: 50, least: 1, most: MAX_PAGE }),
    offset: readCount(parameters, "offset", { otherwise: 0, least: 0, most: MAX_OFFSET }),
  };
  const [head, rows] = await Promise.all([
    readHead(deps, period),
    ask(deps.store, "instance_list", period, params, { order }),
  ]);
  return {
    ...head,
    instances: rows.map((row) => ({
      instanceId: String(row.instance),
      firstSeen: toIsoTime(Number(row.firstSeenMs)),
      lastSeen: toIsoTime(Number(row.lastSeenMs)),
      activeDays: Number(row.activeDays),
      facts: factsFrom(row.facts),
      country: String(row.country),
      leftOut: String(row.leftOut),
    })),
  };
}

/** Parses the facts of a row, and leaves out those that the instance does not report. */
function factsFrom(text: unknown): Record<string, string> {
  const facts: Record<string, string> = text === "" ? {} : JSON.parse(String(text));
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== ""));
}

/** The answer of GET /api/reports/instances/timeline. */
export interface InstanceTimeline {
  readonly instanceId: string;
  readonly from: string;
  readonly to: string;
  /** One entry for each combination of a day in UTC and facts, oldest day first. */
  readonly days: readonly {
    readonly day: string;
    readonly heartbeats: number;
    readonly firstSeen: string;
    readonly lastSeen: string;
    readonly facts: Readonly<Record<string, string>>;
  }[];
}

export async function readTimeline(
  { store }: ReportDependencies,
  period: Period,
  parameters: URLSearchParams,
): Promise<InstanceTimeline> {
  const instance = parameters.get("instance") ?? "";
  if (instance === "" || instance.length > 100)
    throw invalidQuery("instance is the id of an instance. Add it.");
  const rows = await ask(store, "instance_timeline", period, { instance });
  return {
    instanceId: instance,
    from: period.from,
    to: period.to,
    days: rows.map((row) => ({
      day: String(row.day),
      heartbeats: Number(row.heartbeats),
      firstSeen: toIsoTime(Number(row.firstMs)),
      lastSeen: toIsoTime(Number(row.lastMs)),
      facts: factsFrom(row.facts),
    })),
  };
}
