/** Reports how many instances of a cohort still do something, week by week of their lives. */
import { factsOf, heartbeatOf, labelOf, type Plan, type PlanEvent } from "@candor/plan";
import { invalidQuery } from "../errors.ts";
import { isEvent } from "../store/derived-columns.ts";
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
import { findEvent, orUnknown, propertiesOf, readWhere } from "./event-properties.ts";
import { type Period, readCount, WHERE } from "./period.ts";

export const COHORT_PARAMETERS = ["event", "cohort", "weeks", WHERE] as const;
export const COHORT_REPEATED = [WHERE] as const;

const DEFAULT_WEEKS = 12;
const MAX_WEEKS = 105;

/** The answer of GET /api/reports/explore/cohorts. */
export interface CohortsReport extends ReportHead {
  /** The event's type and name. */
  readonly event: string;
  readonly cohort: string;
  /** Number of all cohorts. */
  readonly groups: number;
  /** At most 1000: weeks in the order of time; by a fact, the largest first. */
  readonly cohorts: readonly Cohort[];
}

export interface Cohort {
  /** The Monday of the week of the first heartbeat, or the fact in the first heartbeat (`unknown` without one). */
  readonly cohort: string;
  /** Number of counted instances whose first heartbeat was in the period. */
  readonly instances: number;
  /** Weeks that none of the instances has had wholly in the period are left out. */
  readonly weeks: readonly CohortWeek[];
}

export interface CohortWeek {
  /** 0 is the first seven days from the day of the first heartbeat on. */
  readonly week: number;
  /** Number of instances for which this week was over at the end of the period. */
  readonly instances: number;
  /** How many of these did the event in it. */
  readonly used: number;
  readonly share: number | null;
}

/** @throws CandorError `query_invalid`, `store_away`, `report_too_large` */
export async function reportCohorts(
  deps: ReportDependencies,
  period: Period,
  parameters: URLSearchParams,
): Promise<CohortsReport> {
  const { plan } = deps.plan.current();
  const event = eventOf(plan, parameters);
  const where = readWhere(parameters, propertiesOf(plan, event));
  const cohort = parameters.get("cohort") ?? "week";
  const parts = {
    ...cohortOf(plan, cohort),
    isEvent: isEvent(event),
    where: where.sql,
  };
  const weeks = readCount(parameters, "weeks", { otherwise: DEFAULT_WEEKS, least: 1, most: MAX_WEEKS });
  const [head, rows] = await Promise.all([
    readHead(deps, period),
    ask(deps.store, "cohorts", period, { ...where.params, weeks }, parts),
  ]);
  return {
    ...head,
    event: labelOf(event),
    cohort,
    groups: Number(rows[0]?.cohorts ?? 0),
    cohorts: rows.map(toCohort),
  };
}

function eventOf(plan: Plan, parameters: URLSearchParams): PlanEvent {
  const heartbeat = heartbeatOf(plan);
  const text = parameters.get("event");
  return text === null && heartbeat !== undefined ? heartbeat : findEvent(plan, "event", text);
}

/** Returns SQL for an instance's cohort, and for the order of cohorts. */
function cohortOf(plan: Plan, name: string): { readonly cohort: string; readonly order: string } {
  if (name === "week")
    return { cohort: "toString(toMonday(toDate(population.firstSeen, {zone:String})))", order: "cohort" };
  const facts = factsOf(plan);
  const fact = facts.find((known) => name === `facts.${known}`);
  if (fact === undefined)
    throw invalidQuery(`cohort is one of ${["week", ...facts.map((known) => `facts.${known}`)].join(", ")}.`);
  const value = `JSONExtractString(began.firstFacts, ${quoteText(fact)})`;
  return { cohort: orUnknown(value), order: "instances DESC, cohort" };
}

function toCohort({ cohort, instances, inWeek, used }: Row): Cohort {
  const users = toNumbers(used);
  const weeks = toNumbers(inWeek).map((of, week) => {
    const count = users[week] ?? 0;
    return { week, instances: of, used: count, share: shareOf(count, of) };
  });
  return {
    cohort: String(cohort),
    instances: Number(instances),
    weeks: weeks.filter((one) => one.instances > 0),
  };
}
