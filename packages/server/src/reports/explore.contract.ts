import { isRecord } from "@candor/envelope/unknown-value";
import type { Field, Plan } from "@candor/plan";
import { expect, it } from "vitest";
import type { FleetMessage } from "../rig/fleet.ts";
import {
  countedIn,
  type Fleet,
  factOf,
  group,
  heartbeatsOf,
  localDay,
  type Seen,
} from "../rig/fleet-oracle.ts";
import type { ReportDependencies } from "./ask.ts";
import { reportCohorts } from "./cohorts-report.ts";
import { type Explored, reportExplore } from "./explore-report.ts";
import { reportFunnel } from "./funnel-report.ts";
import { type Period, readPeriod, WHERE } from "./period.ts";

const DAY_MS = 86_400_000;
const ACTION = "execute_ACTION_TRIGGERED";
const OTHERS = [
  "event",
  "measure",
  "of",
  "by",
  "limit",
  WHERE,
  "step",
  "window_minutes",
  "who",
  "cohort",
  "weeks",
];

export interface FleetInStore extends Fleet {
  readonly deps: Pick<ReportDependencies, "store" | "storedUntilMs">;
  /** The plan of the other reports. */
  readonly plan: Plan;
  readonly nowMs: number;
  readonly zones: readonly string[];
}

/** Adds a list to the plan, because the reference product's plan declares none. */
function withTags(plan: Plan): Plan {
  const events = plan.events.map((event) => {
    const { pluginName } = event.fields;
    if (event.name !== ACTION || pluginName?.type !== "string") return event;
    const { column, dimension } = { column: false, dimension: false };
    const tags: Field = { ...pluginName, column, dimension, type: "array", items: pluginName, maxItems: 8 };
    return { ...event, fields: { ...event.fields, tags } };
  });
  return { ...plan, events };
}

/** The offset of a zone, as in `+05:45`, and the hour, from the platform's own calendar. */
function localHour(atMs: number, zone: string): string {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    hour: "2-digit",
    hourCycle: "h23",
    timeZoneName: "longOffset",
  }).formatToParts(atMs);
  const of = (type: string): string => parts.find((part) => part.type === type)?.value ?? "";
  return `${localDay(atMs, zone)}T${of("hour")}:00${of("timeZoneName").replace("GMT", "") || "+00:00"}`;
}

function mondayOf(day: string): string {
  const ms = Date.parse(day);
  return new Date(ms - ((new Date(ms).getUTCDay() + 6) % 7) * DAY_MS).toISOString().slice(0, 10);
}

/** Returns what a property or an instance says, as the answer spells it. */
function saidBy(
  message: FleetMessage,
  { zone }: Period,
  of: ReadonlyMap<string, Seen>,
  name: string,
): string {
  const { atMs, country, id, properties } = message;
  const day = localDay(atMs, zone);
  if (name === "day") return day;
  if (name === "week") return mondayOf(day);
  if (name === "hour") return localHour(atMs, zone);
  if (name === "country") return country || "unknown";
  if (name.startsWith("facts.")) return of.get(id)?.facts[name.slice("facts.".length)] || "unknown";
  if (name === "datasource.name") {
    const { datasource } = properties;
    return isRecord(datasource) ? String(datasource.name) : "unknown";
  }
  return String(properties[name] ?? "unknown");
}

const NUMBERS = ["timeElapsed"];

/** Computes what a row says from its messages. */
function explored(of: readonly FleetMessage[], measure: string, base: number): Explored {
  const instances = new Set(of.map(({ id }) => id)).size;
  const common = { count: of.length, instances, share: base === 0 ? null : instances / base };
  const people = new Set(of.filter(({ userId }) => userId).map(({ id, userId }) => `${id} ${userId}`)).size;
  if (measure === "people") return { ...common, people };
  const numbers = of
    .flatMap(({ properties }) => NUMBERS.map((name) => properties[name]))
    .filter((value) => typeof value === "number")
    .sort((a, b) => a - b);
  const values = numbers.length;
  if (measure === "sum") return { ...common, values, sum: numbers.reduce((sum, one) => sum + one, 0) };
  const at = (share: number): number => numbers[Math.min(values - 1, Math.floor(share * values))] ?? 0;
  const percentiles = { min: at(0), p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
  return measure === "percentiles" ? { ...common, values, percentiles } : common;
}

/**
 * Finds how a unit gets through a funnel by trying each first step: the times of the earliest run that
 * follows it.
 */
function reachedAfter(startMs: number, timesOf: readonly (readonly number[])[], windowMs: number): number[] {
  const run = [startMs];
  for (const times of timesOf.slice(1)) {
    const next = times.find((ms) => ms >= (run.at(-1) ?? 0));
    if (next === undefined || next > startMs + windowMs) break;
    run.push(next);
  }
  return run;
}

/** Defines the tests of the maker's own questions, over the fleet that the other reports are tested with. */
export function describeExploreContract(fleet: () => FleetInStore): void {
  const deps = (): ReportDependencies => {
    const { deps: given, plan } = fleet();
    return { ...given, plan: { current: () => ({ plan: withTags(plan) }) } };
  };
  const period = (query: string): Period =>
    readPeriod(new URLSearchParams(query), {
      ...fleet(),
      others: OTHERS,
      repeated: ["by", "step", WHERE],
    });
  const inPeriod = ({ from, to, zone }: Period): ((message: FleetMessage) => boolean) => {
    return ({ atMs }) => localDay(atMs, zone) >= from && localDay(atMs, zone) <= to;
  };

  it.each([
    ["", "count", []],
    ["&by=pluginName", "count", ["pluginName"]],
    [
      "&by=pluginName&by=appMode&by=datasource.name",
      "instances",
      ["pluginName", "appMode", "datasource.name"],
    ],
    ["&by=isSuccessfulExecution", "people", ["isSuccessfulExecution"]],
    ["&by=day&zone=Australia/Lord_Howe", "count", ["day"]],
    ["&by=week&by=facts.os&from=2026-09-20&zone=Pacific/Kiritimati", "people", ["week", "facts.os"]],
    ["&by=country&by=version", "sum", ["country", "version"]],
    ["&by=facts.version&zone=America/New_York", "percentiles", ["facts.version"]],
    ["&by=pluginName&country=IN&facts.os=linux", "percentiles", ["pluginName"]],
    ["&by=appMode&from=2026-11-01&to=2026-11-01&zone=Asia/Kathmandu", "percentiles", ["appMode"]],
  ] as const)("about an event, explored with %s (%s)", async (query, measure, by) => {
    const of = measure === "sum" || measure === "percentiles" ? "&of=timeElapsed" : "";
    const parameters = new URLSearchParams(`event=${ACTION}${query}&measure=${measure}${of}`);
    await expectExplored(parameters, measure, by);
  });

  async function expectExplored(
    parameters: URLSearchParams,
    measure: string,
    by: readonly string[],
    isWanted: (message: FleetMessage) => boolean = () => true,
  ): Promise<void> {
    const asked = period(parameters.toString());
    const base = countedIn(fleet(), asked).filter((one) => isInSegment(one, parameters));
    const seen = new Map(base.map((one) => [one.id, one]));
    const found = fleet()
      .messages.filter(({ event, id }) => event === ACTION && seen.has(id))
      .filter(inPeriod(asked))
      .filter(isWanted);
    expect(found.length).toBeGreaterThan(0);
    const groups = group(found, (message) =>
      JSON.stringify(by.map((name) => saidBy(message, asked, seen, name))),
    );
    const report = await reportExplore(deps(), asked, parameters);
    expect(report).toMatchObject({ event: `track ${ACTION}`, measure, by });
    expect(report.base.instances).toBe(base.length);
    expect(report.total).toEqual(explored(found, measure, base.length));
    if (by.length === 0) {
      expect([report.groups, report.rows]).toEqual([0, []]);
      return;
    }
    expect(report.groups).toBe(groups.size);
    expect(Object.fromEntries(report.rows.map(({ by: key, ...row }) => [JSON.stringify(key), row]))).toEqual(
      Object.fromEntries([...groups].map(([key, of]) => [key, explored(of, measure, base.length)])),
    );
  }

  const isInSegment = ({ id, facts }: Seen, parameters: URLSearchParams): boolean => {
    const [country, os] = [parameters.get("country"), parameters.get("facts.os")];
    const own = fleet().messages.find((message) => message.id === id);
    return (country === null || own?.country === country) && (os === null || facts.os === os);
  };

  it("about hours in every zone, also on the days when clocks are changed", async () => {
    for (const zone of fleet().zones) {
      const query = `event=${ACTION}&by=hour&from=2026-10-24&to=2026-11-02&zone=${zone}`;
      await expectExplored(new URLSearchParams(query), "count", ["hour"]);
      const { rows } = await reportExplore(deps(), period(query), new URLSearchParams(query));
      const hours = rows.map(({ by }) => Date.parse(by[0] ?? ""));
      expect(hours).toEqual(hours.toSorted((a, b) => a - b));
    }
  });

  it.each([
    [
      "pluginName=Slack&where.pluginName=REST API",
      ({ properties }) => properties.pluginName !== "PostgreSQL",
    ],
    ["appMode=unknown", ({ properties }) => properties.appMode === undefined],
    [
      "datasource.name=it's&where.isSuccessfulExecution=false",
      (message) =>
        JSON.stringify(message.properties.datasource ?? {}).includes("it's") &&
        !message.properties.isSuccessfulExecution,
    ],
    [
      "timeElapsed=3.0&where.timeElapsed=7",
      ({ properties }) => [3, 7].includes(Number(properties.timeElapsed)),
    ],
    ["tags=c", ({ properties }) => JSON.stringify(properties.tags ?? []).includes('"c"')],
    [
      "tags=unknown&where.tags=a",
      ({ properties }) => ["[]", '["a"]'].includes(JSON.stringify(properties.tags ?? [])),
    ],
  ] as [string, (message: FleetMessage) => boolean][])("about an event where %s", async (where, isWanted) => {
    const parameters = new URLSearchParams(`event=${ACTION}&by=day&from=2026-09-20&where.${where}`);
    await expectExplored(parameters, "count", ["day"], isWanted);
  });

  it("about the largest groups only, and how many there are", async () => {
    const query = `event=${ACTION}&by=timeElapsed&measure=instances`;
    const all = await reportExplore(deps(), period(query), new URLSearchParams(query));
    const few = await reportExplore(deps(), period(query), new URLSearchParams(`${query}&limit=5`));
    expect(all.groups).toBeGreaterThan(100);
    expect(few).toEqual({ ...all, rows: all.rows.slice(0, 5) });
    const counts = all.rows.map(({ instances }) => instances);
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
  });

  it("about an event that nobody sent: zeros", async () => {
    const query = "event=SIGNUP_PAGE_LOAD&by=version&from=2026-11-01";
    const asked = await reportExplore(deps(), period(query), new URLSearchParams(query));
    expect(asked).toMatchObject({ groups: 0, rows: [], total: { count: 0, instances: 0, share: 0 } });
    expect(asked.base.instances).toBeGreaterThan(0);
  });

  it.each([
    ["step=APPLICATIONS_PAGE_LOAD&step=EDITOR_PAGE_LOAD&step=VIEWER_PAGE_LOAD", "instances", 1440],
    ["step=APPLICATIONS_PAGE_LOAD&step=EDITOR_PAGE_LOAD&step=VIEWER_PAGE_LOAD", "people", 1440],
    ["step=EDITOR_PAGE_LOAD&step=execute_ACTION_TRIGGERED", "people", 1],
    ["step=VIEWER_PAGE_LOAD&step=APPLICATIONS_PAGE_LOAD&step=EDITOR_PAGE_LOAD", "instances", 2],
    [
      "step=Instance Active&step=execute_ACTION_TRIGGERED&step=EDITOR_PAGE_LOAD&step=VIEWER_PAGE_LOAD",
      "instances",
      20_000,
    ],
  ] as const)("about a funnel: %s (%s within %i minutes)", async (steps, who, minutes) => {
    const query = `${steps}&who=${who}&window_minutes=${minutes}&from=2026-10-20&to=2026-11-05&zone=Asia/Kathmandu`;
    const parameters = new URLSearchParams(query);
    const asked = period(query);
    const names = parameters.getAll("step");
    const ids = new Set(countedIn(fleet(), asked).map(({ id }) => id));
    const found = fleet()
      .messages.filter(({ event, id }) => names.includes(event) && ids.has(id))
      .filter(inPeriod(asked))
      .filter(({ userId = "" }) => who === "instances" || userId !== "");
    const tookMs: number[][] = names.map(() => []);
    for (const of of group(found, ({ id, userId }) => (who === "people" ? `${id} ${userId}` : id)).values()) {
      const timesOf = names.map((name) =>
        of
          .filter(({ event }) => event === name)
          .map(({ atMs }) => atMs)
          .sort((a, b) => a - b),
      );
      const runs = (timesOf[0] ?? []).map((ms) => reachedAfter(ms, timesOf, minutes * 60_000));
      for (const [step, took] of tookMs.entries()) {
        const reaching = runs.filter((run) => run.length > step);
        const firstMs = Math.min(...reaching.map((run) => run[step] ?? 0));
        const starts = reaching.filter((run) => run[step] === firstMs).map((run) => run[0] ?? 0);
        if (reaching.length > 0) took.push(firstMs - Math.max(...starts));
      }
    }
    const report = await reportFunnel(deps(), asked, parameters);
    const first = tookMs[0]?.length ?? 0;
    expect(first).toBeGreaterThan(10);
    expect(report).toMatchObject({ who, windowMinutes: minutes });
    expect(report.steps).toEqual(
      names.map((name, step) => {
        const took = (tookMs[step] ?? []).sort((a, b) => a - b);
        const medianMs = took[Math.floor(took.length / 2)] ?? null;
        return { event: `track ${name}`, reached: took.length, share: took.length / first, medianMs };
      }),
    );
  });

  it.each([
    ["", "Instance Active", "week"],
    ["event=LOGIN_PAGE_LOAD&zone=Asia/Kathmandu&cohort=facts.os", "LOGIN_PAGE_LOAD", "facts.os"],
    ["event=EDITOR_PAGE_LOAD&zone=Pacific/Pago_Pago", "EDITOR_PAGE_LOAD", "week"],
    [`event=${ACTION}&cohort=facts.version&zone=America/New_York&weeks=5`, ACTION, "facts.version"],
    [`event=${ACTION}&where.pluginName=Slack&cohort=facts.os`, ACTION, "facts.os"],
  ])("about cohorts: %s", async (given, event, cohort) => {
    const query = `${given}&from=2026-09-01`;
    const parameters = new URLSearchParams(query);
    const asked = period(query);
    const { from, to, zone } = asked;
    const dayOf = (ms: number): string => localDay(ms, zone);
    const weekAfter = (first: string, day: string): number =>
      Math.floor((Date.parse(day) - Date.parse(first)) / (7 * DAY_MS));
    const plugin = parameters.get("where.pluginName");
    const uses = fleet().messages.filter(
      (message) => message.event === event && (plugin === null || message.properties.pluginName === plugin),
    );
    const first = new Map(
      heartbeatsOf(fleet().messages)
        .toSorted((a, b) => b.atMs - a.atMs)
        .map((beat) => [beat.id, beat]),
    );
    const born = countedIn(fleet(), asked).filter(({ firstMs }) => dayOf(firstMs) >= from);
    const cohorts = group(born, ({ id, firstMs }) => {
      const beat = first.get(id);
      if (cohort === "week") return mondayOf(dayOf(firstMs));
      return (beat === undefined ? "" : factOf(beat, cohort.slice("facts.".length))) || "unknown";
    });
    const report = await reportCohorts(deps(), asked, parameters);
    expect(report).toMatchObject({ event: `track ${event}`, cohort, groups: cohorts.size });
    const weeks = [...Array(Number(parameters.get("weeks") ?? 12)).keys()];
    const expected = [...cohorts].map(([name, of]) => ({
      cohort: name,
      instances: of.length,
      weeks: weeks
        .map((week) => {
          const whole = of.filter(
            ({ firstMs }) => Date.parse(to) - Date.parse(dayOf(firstMs)) >= (7 * week + 6) * DAY_MS,
          );
          const users = whole.filter(({ id, firstMs }) =>
            uses.some(
              (use) =>
                use.id === id &&
                dayOf(use.atMs) >= from &&
                dayOf(use.atMs) <= to &&
                weekAfter(dayOf(firstMs), dayOf(use.atMs)) === week,
            ),
          );
          const share = whole.length === 0 ? null : users.length / whole.length;
          return { week, instances: whole.length, used: users.length, share };
        })
        .filter(({ instances }) => instances > 0),
    }));
    const order = (a: { cohort: string; instances: number }, b: typeof a): number =>
      (cohort === "week" ? 0 : b.instances - a.instances) || (a.cohort < b.cohort ? -1 : 1);
    expect(report.cohorts).toEqual(expected.sort(order));
    expect(
      report.cohorts.some((one) => one.weeks.some(({ used, instances }) => used > 0 && used < instances)),
    ).toBe(true);
  });
}
