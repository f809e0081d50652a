/** For tests: computes what the report about browsers must say about a fleet, from its messages alone. */
import type { ReportHead } from "../reports/ask.ts";
import type { ClientReport, Visits } from "../reports/client-report.ts";
import type { FleetMessage } from "./fleet.ts";
import { KEPT_USER_AGENT } from "./fleet-browsers.ts";
import { countedIn, type Days, type Fleet, group, localDay, tally } from "./fleet-oracle.ts";

/** The families of a user agent that is stored as it was sent. */
const FAMILIES: Readonly<Record<string, string>> = { [KEPT_USER_AGENT]: "Firefox on Windows" };
const PAUSE_MS = 30 * 60_000;
const isView = ({ event }: FleetMessage): boolean => event.endsWith("_PAGE_LOAD");
const isUse = ({ event }: FleetMessage): boolean => event.endsWith("_CLICK");

/** The answer of the report, without the fields that all reports have. */
export type Expected = Omit<ClientReport, keyof ReportHead>;

/** Returns what the report must say. The order of the lists is any. */
export function expectedClient(fleet: Fleet, days: Days): Expected {
  const ids = new Set(countedIn(fleet, days).map(({ id }) => id));
  const all = fleet.messages.filter(({ source, atMs }) => {
    const day = localDay(atMs, days.zone);
    return source === "client" && day >= days.from && day <= days.to;
  });
  const counted = all.filter(({ id }) => ids.has(id));
  const instances = new Set(counted.map(({ id }) => id)).size;
  const visits = visitsIn(counted);
  const total = visits.length;
  const sharesOf = (nameOf: (visit: Visit) => string) =>
    happenedIn(visits, (visit) => [nameOf(visit) || "unknown"]).map(({ name, visits: count }) => ({
      name,
      of: { visits: count, share: count / total },
    }));
  const agentOf = (visit: Visit): string[] => {
    const agent = lastTold(visit, "userAgent");
    return (FAMILIES[agent] ?? agent).split(" on ");
  };
  return {
    instances,
    share: ids.size === 0 ? null : instances / ids.size,
    messages: counted.length,
    messagesLeftOut: all.length - counted.length,
    visits: {
      visits: total,
      byDay: Object.entries(tally(visits, ([first]) => localDay(first?.atMs ?? 0, days.zone))).map(
        ([day, count]) => ({ day, visits: count }),
      ),
      ...ranksOf(visits),
    },
    routes: happenedIn(visits, routesOf).map(({ name, count, ...of }) => ({
      route: name,
      views: count,
      ...of,
    })),
    controls: happenedIn(visits, (visit) => visit.filter(isUse).map(({ event }) => event)).map(
      ({ name, count, ...of }) => ({ control: name, clicks: count, ...of }),
    ),
    flows: happenedIn(visits, flowsOf).map(({ name, ...of }) => {
      const [from = "", to = ""] = name.split(" > ");
      return { from, to, ...of };
    }),
    locales: sharesOf((visit) => lastTold(visit, "locale")).map(({ name, of }) => ({ locale: name, ...of })),
    browsers: sharesOf((visit) => agentOf(visit)[0] ?? "").map(({ name, of }) => ({ browser: name, ...of })),
    systems: sharesOf((visit) => agentOf(visit)[1] ?? "").map(({ name, of }) => ({ system: name, ...of })),
  };
}

/** Sorts the entries of each list, so that reports can be compared whatever the order of equal counts. */
export function sortLists(report: Expected): object {
  return Object.fromEntries(
    Object.entries(report).map(([name, value]) => [
      name,
      Array.isArray(value)
        ? value.map((entry) => JSON.stringify(entry, Object.keys(entry).sort())).sort()
        : value,
    ]),
  );
}

type Visit = readonly FleetMessage[];

function visitsIn(messages: readonly FleetMessage[]): Visit[] {
  const named = messages.filter(({ browser }) => browser?.anonymousId !== "");
  const visits: FleetMessage[][] = [];
  for (const of of group(named, ({ id, browser }) => `${id} ${browser?.anonymousId}`).values()) {
    let lastMs = Number.NEGATIVE_INFINITY;
    for (const message of of.toSorted((a, b) => a.atMs - b.atMs || a.receivedMs - b.receivedMs)) {
      if (message.atMs - lastMs > PAUSE_MS) visits.push([]);
      visits.at(-1)?.push(message);
      lastMs = message.atMs;
    }
  }
  return visits;
}

function routesOf(visit: Visit): string[] {
  return visit.filter(isView).map(({ browser }) => browser?.route || "unknown");
}

function flowsOf(visit: Visit): string[] {
  const routes = routesOf(visit);
  return routes.slice(1).map((to, index) => `${routes[index]} > ${to}`);
}

function lastTold(visit: Visit, field: "locale" | "userAgent"): string {
  return visit.map(({ browser }) => browser?.[field] ?? "").findLast((value) => value !== "") ?? "";
}

/** Counts the things that happen in visits, by name: how often, in how many visits, and of how many instances. */
function happenedIn(visits: readonly Visit[], namesOf: (visit: Visit) => readonly string[]) {
  const happened = visits.flatMap((visit) => namesOf(visit).map((name) => ({ name, visit })));
  return [...group(happened, ({ name }) => name)].map(([name, of]) => ({
    name,
    count: of.length,
    visits: new Set(of.map(({ visit }) => visit)).size,
    instances: new Set(of.map(({ visit }) => visit[0]?.id)).size,
  }));
}

function ranksOf(visits: readonly Visit[]): Pick<Visits, "views" | "length"> {
  if (visits.length === 0) return { views: null, length: null };
  const rank = (share: number, measure: (visit: Visit) => number): number =>
    visits.map(measure).sort((a, b) => a - b)[Math.floor(share * visits.length)] ?? 0;
  const viewsOf = (visit: Visit): number => visit.filter(isView).length;
  const lengthOf = (visit: Visit): number => (visit.at(-1)?.atMs ?? 0) - (visit[0]?.atMs ?? 0);
  return {
    views: { median: rank(0.5, viewsOf), p90: rank(0.9, viewsOf) },
    length: { medianMs: rank(0.5, lengthOf), p90Ms: rank(0.9, lengthOf) },
  };
}
