/** Reports what browsers did: visits, routes, controls, flows, languages and browsers, where people agreed. */
import { pageEventsOf } from "@candor/plan";
import { toFamilies } from "../privacy/user-agent.ts";
import {
  ask,
  type ReportDependencies,
  type ReportHead,
  type Row,
  readHead,
  shareOf,
  toNumbers,
} from "./ask.ts";
import { nameOf, type Period } from "./period.ts";

const MAX_LISTED = 100;

/**
 * The answer of GET /api/reports/client. A list is empty if no message tells what it is about, because the plan
 * does not declare it. Lists have at most 100 entries, the most frequent first, except `visits.byDay`.
 */
export interface ClientReport extends ReportHead {
  /** How many of the counted instances sent a message of the client in the period. */
  readonly instances: number;
  /** Share of the counted instances, from 0 to 1; null if there are none. */
  readonly share: number | null;
  /** Number of messages of the client, from the counted instances. */
  readonly messages: number;
  /** Number of the client's other messages: from instances that are left out, or without an instance's id. */
  readonly messagesLeftOut: number;
  readonly visits: Visits;
  /** Routes of the pages that were opened. */
  readonly routes: readonly (Use & { readonly route: string; readonly views: number })[];
  /** Events that are not sent when a page opens: clicks, and calls of `track`. */
  readonly controls: readonly (Use & { readonly control: string; readonly clicks: number })[];
  /** How often a page of the route `to` was opened next after one of the route `from`, in the same visit. */
  readonly flows: readonly (Use & { readonly from: string; readonly to: string; readonly count: number })[];
  readonly locales: readonly (OfVisits & { readonly locale: string })[];
  readonly browsers: readonly (OfVisits & { readonly browser: string })[];
  readonly systems: readonly (OfVisits & { readonly system: string })[];
}

export interface Visits {
  readonly visits: number;
  /** By the day on which a visit began. Days without a visit are left out. */
  readonly byDay: readonly { readonly day: string; readonly visits: number }[];
  /** Pages opened in a visit; null if there are no visits. */
  readonly views: { readonly median: number; readonly p90: number } | null;
  /** Time from a visit's first message to its last; null if there are no visits. */
  readonly length: { readonly medianMs: number; readonly p90Ms: number } | null;
}

interface Use {
  readonly visits: number;
  readonly instances: number;
}

interface OfVisits {
  readonly visits: number;
  readonly share: number | null;
}

/** @throws CandorError `store_away`, `report_too_large` */
export async function reportClient(deps: ReportDependencies, period: Period): Promise<ClientReport> {
  const pages = pageEventsOf(deps.plan.current().plan);
  const [head, totals, rows] = await Promise.all([
    readHead(deps, period),
    ask(deps.store, "client_messages", period),
    ask(deps.store, "client", period, { pages }),
  ]);
  const counted = totals.find(({ isCounted }) => Number(isCounted) === 1);
  const others = totals.find(({ isCounted }) => Number(isCounted) === 0);
  const instances = Number(counted?.instances ?? 0);
  const of = (kind: string): Row[] => rows.filter((row) => row.kind === kind);
  const visits = toVisits(of("all")[0], of("day"));
  const listFamilies = <Name extends string>(key: Name, familyOf: (agent: string) => string) =>
    listOfVisits(key, of("agent"), visits.visits, familyOf);
  return {
    ...head,
    instances,
    share: shareOf(instances, head.base.instances),
    messages: Number(counted?.messages ?? 0),
    messagesLeftOut: Number(others?.messages ?? 0),
    visits,
    routes: listKnown(of("route")).map((row) => ({
      route: nameOf(row.name),
      views: Number(row.count),
      ...toUse(row),
    })),
    controls: listKnown(of("control")).map((row) => ({
      control: nameOf(row.name),
      clicks: Number(row.count),
      ...toUse(row),
    })),
    flows: listKnown(of("flow")).map((row) => ({
      from: nameOf(row.name),
      to: nameOf(row.next),
      count: Number(row.count),
      ...toUse(row),
    })),
    locales: listOfVisits("locale", of("locale"), visits.visits, (locale) => locale),
    browsers: listFamilies("browser", (agent) => familiesOf(agent)[0] ?? ""),
    systems: listFamilies("system", (agent) => familiesOf(agent)[1] ?? ""),
  };
}

function toVisits(all: Row | undefined, days: readonly Row[]): Visits {
  const [median = 0, p90 = 0] = toNumbers(all?.views);
  const [medianMs = 0, p90Ms = 0] = toNumbers(all?.lengthsMs);
  return {
    visits: Number(all?.visits ?? 0),
    byDay: days
      .map(({ name, visits }) => ({ day: String(name), visits: Number(visits) }))
      .sort((a, b) => (a.day < b.day ? -1 : 1)),
    views: all === undefined ? null : { median, p90 },
    length: all === undefined ? null : { medianMs, p90Ms },
  };
}

/** Returns the first rows; none if no row has a name, because then nothing tells it. */
function listKnown(rows: readonly Row[]): readonly Row[] {
  return rows.some(({ name, next }) => name !== "" || next !== "") ? rows.slice(0, MAX_LISTED) : [];
}

function toUse({ visits, instances }: Row): Use {
  return { visits: Number(visits), instances: Number(instances) };
}

/** Adds up visits by what `labelOf` makes of a row's name; empty if no visit tells it. */
function listOfVisits<Name extends string>(
  key: Name,
  rows: readonly Row[],
  total: number,
  labelOf: (name: string) => string,
): (OfVisits & Readonly<Record<Name, string>>)[] {
  const sums = new Map<string, number>();
  for (const row of rows) {
    const value = nameOf(row.name === "" ? "" : labelOf(String(row.name)));
    sums.set(value, (sums.get(value) ?? 0) + Number(row.visits));
  }
  if (rows.every(({ name }) => name === "")) return [];
  return [...sums]
    .sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1))
    .slice(0, MAX_LISTED)
    .map(([value, visits]) => {
      const named = { [key]: value } as Readonly<Record<Name, string>>;
      return { ...named, visits, share: shareOf(visits, total) };
    });
}

/**
 * Returns the families of the browser and of its system, such as `Chrome` and `macOS`. A plan may also keep
 * user agents as they were sent.
 */
function familiesOf(agent: string): readonly string[] {
  return toFamilies(agent).split(" on ");
}
