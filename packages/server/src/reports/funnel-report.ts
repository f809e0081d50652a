/** Reports how many instances, or people, go through a series of events within a time, and where the others stop. */
import { labelOf, type PlanEvent } from "@candor/plan";
import { invalidQuery } from "../errors.ts";
import { isEvent } from "../store/derived-columns.ts";
import { ask, type ReportDependencies, type ReportHead, readHead, shareOf } from "./ask.ts";
import { findEvent } from "./event-properties.ts";
import { type Period, readCount, readOne } from "./period.ts";

export const FUNNEL_PARAMETERS = ["step", "window_minutes", "who"] as const;
export const FUNNEL_REPEATED = ["step"] as const;

const MIN_STEPS = 2;
const MAX_STEPS = 8;
const DAY_MINUTES = 1440;
const MAX_WINDOW_MINUTES = 90 * DAY_MINUTES;
const MINUTE_MS = 60_000;

/** The answer of GET /api/reports/explore/funnel. */
export interface FunnelReport extends ReportHead {
  /** `people`: different pseudonyms (`userId`) within an instance; events without one are not counted. */
  readonly who: "instances" | "people";
  readonly windowMinutes: number;
  readonly steps: readonly FunnelStep[];
}

export interface FunnelStep {
  /** The event's type and name. */
  readonly event: string;
  /**
   * How many did this step after all the ones before it, in their order, and within the window of the first
   * step. Other events may lie between. A first step is tried again each time it is done.
   */
  readonly reached: number;
  /** Share of those that reached the first step, from 0 to 1; null if there are none. */
  readonly share: number | null;
  /**
   * Median time from the first step to the moment when each reached this one for the first time. If several first steps
   * led there, it is counted from the last of them. Null if nobody did.
   */
  readonly medianMs: number | null;
}

/** @throws CandorError `query_invalid`, `store_away`, `report_too_large` */
export async function reportFunnel(
  deps: ReportDependencies,
  period: Period,
  parameters: URLSearchParams,
): Promise<FunnelReport> {
  const { plan } = deps.plan.current();
  const given = parameters.getAll("step");
  if (given.length < MIN_STEPS || given.length > MAX_STEPS)
    throw invalidQuery(
      `step is given ${MIN_STEPS} to ${MAX_STEPS} times, each time with an event of the plan.`,
    );
  const events = given.map((text) => findEvent(plan, "step", text));
  if (new Set(events).size < events.length)
    throw invalidQuery(
      "step is given twice with the same event. The steps of a funnel are different events.",
    );
  const who = readOne(parameters, "who", ["instances", "people"], "instances");
  const windowMinutes = readCount(parameters, "window_minutes", {
    otherwise: DAY_MINUTES,
    least: 1,
    most: MAX_WINDOW_MINUTES,
  });
  const [head, rows] = await Promise.all([
    readHead(deps, period),
    ask(deps.store, "funnel", period, { windowMs: windowMinutes * MINUTE_MS }, { runs: runsOf(events, who) }),
  ]);
  const found = new Map(rows.map((row) => [Number(row.step), row]));
  const first = Number(found.get(1)?.reached ?? 0);
  return {
    ...head,
    who,
    windowMinutes,
    steps: events.map((event, index) => {
      const row = found.get(index + 1);
      const reached = Number(row?.reached ?? 0);
      return {
        event: labelOf(event),
        reached,
        share: shareOf(reached, first),
        medianMs: row === undefined ? null : Number(row.medianMs),
      };
    }),
  };
}

/**
 * Returns a SELECT of all events that are steps, each with the `start` of its run. Each level adds the starts
 * of one step: the latest start of the step before that is in this unit's earlier rows, if it is within the
 * window. Events of the same time are in the order of their steps.
 */
function runsOf(events: readonly PlanEvent[], who: FunnelReport["who"]): string {
  const cases = events.map((event, index) => `${isEvent(event)}, ${index + 1}`).join(", ");
  const steps = `SELECT iid, ${who === "people" ? "userId" : "''"} AS person, multiIf(${cases}, 0) AS step,
    toUnixTimestamp64Milli(timestamp) AS ms, if(step = 1, ms, 0) AS start
  FROM events
  WHERE (${events.map(isEvent).join(" OR ")})
    AND toDate(timestamp, {zone:String}) >= {from:Date}
    AND toDate(timestamp, {zone:String}) <= {to:Date}
    AND receivedAt >= toDateTime64({from:Date}, 3, 'UTC') - INTERVAL 2 DAY
    AND iid GLOBAL IN (SELECT iid FROM population WHERE leftOut = '')
    ${who === "people" ? "AND userId != ''" : ""}`;
  return events.slice(1).reduce((rows, _event, index) => {
    const step = index + 2;
    return `SELECT iid, person, step, ms, if(step = ${step}, if(ms - led <= {windowMs:Int64}, led, 0), start) AS start
FROM (
  SELECT iid, person, step, ms, start, maxIf(start, step = ${step - 1}) OVER
    (PARTITION BY iid, person ORDER BY ms, step ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS led
  FROM (${rows})
)`;
  }, steps);
}
