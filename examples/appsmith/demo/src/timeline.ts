/** Makes what an instance and its people do: heartbeats, actions and visits of browsers. */
import { createRandom, type Random } from "./random.ts";
import {
  DAY_MS,
  HOUR_MS,
  type Instance,
  type Person,
  type Plugin,
  type Span,
  type Start,
  type StoryBase,
  WEEK_MS,
} from "./story.ts";

const MINUTE_MS = 60_000;
/** The times between heartbeats, as in the SDK's keep-alive. */
const FIRST_AFTER_MS = { least: 2 * MINUTE_MS, most: 5 * MINUTE_MS };
const EVERY_MS = 6 * HOUR_MS;
const JITTER = 0.05;

export interface Heartbeat {
  readonly atMs: number;
  readonly start: Start;
}

export interface Action {
  readonly atMs: number;
  readonly start: Start;
  readonly plugin: Plugin;
  readonly isSuccess: boolean;
  readonly elapsedMs: number;
  /** A number, from 0, that stands for the person who ran it. These people are not those of `Instance`. */
  readonly person: number;
  readonly mode: "edit" | "view";
  /** The number of the app, from 0. */
  readonly app: number;
}

/** What a browser sends: that a page was opened, or that something on it was clicked. */
export interface BrowserEvent {
  readonly atMs: number;
  readonly version: string;
  readonly event: string;
  readonly page: keyof typeof PAGES;
  readonly properties: { readonly [name: string]: string };
}

export const PAGES = {
  login: { path: "/user/login", title: "Login | Appsmith" },
  applications: { path: "/applications", title: "Applications | Appsmith" },
  editor: { path: "/app/:app/:page/edit", title: "Editor | Appsmith" },
  datasources: { path: "/app/:app/:page/edit/datasources", title: "Datasources | Appsmith" },
  viewer: { path: "/app/:app/:page", title: "Viewer | Appsmith" },
} as const;

export function heartbeatsOf({ seed }: StoryBase, instance: Instance): readonly Heartbeat[] {
  const random = createRandom(`${seed}/heartbeats/${instance.number}`);
  return everySixHours(instance.life, instance.outages, random).map((atMs) => ({
    atMs,
    start: startAt(instance, atMs),
  }));
}

/** The heartbeats of the copy of an instance's folder; empty if there is none. */
export function copiedHeartbeatsOf({ seed }: StoryBase, { number, copy }: Instance): readonly Heartbeat[] {
  if (copy === undefined) return [];
  const random = createRandom(`${seed}/copied/${number}`);
  return everySixHours(copy.life, [], random).map((atMs) => ({ atMs, start: copy.start }));
}

function everySixHours(life: Span, outages: readonly Span[], random: Random): readonly number[] {
  const first = (fromMs: number): number =>
    fromMs + random.between(FIRST_AFTER_MS.least, FIRST_AFTER_MS.most);
  const times: number[] = [];
  for (let atMs = first(life.fromMs); atMs < life.toMs; ) {
    const outage = outages.find((one) => isWithin(one, atMs));
    if (outage === undefined) times.push(atMs);
    atMs = outage === undefined ? atMs + EVERY_MS * (1 + JITTER * random.next()) : first(outage.toMs);
  }
  return times;
}

export function actionsOf({ seed }: StoryBase, instance: Instance): readonly Action[] {
  const random = createRandom(`${seed}/actions/${instance.number}`);
  const actions: Action[] = [];
  for (const atMs of timesAtRate(instance.life, instance.actionsPerDay / DAY_MS, random)) {
    const action = makeAction(instance, atMs, random);
    if (isUp(instance, atMs)) actions.push(action);
  }
  return actions;
}

function makeAction(instance: Instance, atMs: number, random: Random): Action {
  const start = startAt(instance, atMs);
  const plugin = random.pick(instance.plugins);
  const fault = start.release.fault?.plugin === plugin.plugin ? start.release.fault : undefined;
  return {
    atMs,
    start,
    plugin,
    isSuccess: !random.isLikely(fault?.failureShare ?? plugin.failureShare),
    elapsedMs: Math.round(plugin.medianMs * (fault?.slowdown ?? 1) * random.factor(0.7)),
    person: random.wholeBetween(0, 4),
    mode: random.isLikely(0.45) ? "edit" : "view",
    app: random.wholeBetween(0, 2),
  };
}

/**
 * What the browser of one person sends, unless it has a privacy signal or the operator refused, oldest first.
 */
export function visitsOf({ seed }: StoryBase, instance: Instance, person: Person): readonly BrowserEvent[] {
  const random = createRandom(`${seed}/visits/${instance.number}/${person.number}`);
  const visits = timesAtRate(instance.life, person.visitsPerWeek / WEEK_MS, random).flatMap((atMs) => {
    const events = makeVisit(person, instance, random);
    return events.flatMap(([page, event, properties = {}], index) => {
      const eventMs = atMs + index * 40_000;
      if (!isUp(instance, eventMs)) return [];
      return [
        { atMs: eventMs, version: startAt(instance, eventMs).release.version, event, page, properties },
      ];
    });
  });
  return visits.sort((one, other) => one.atMs - other.atMs);
}

type Step = readonly [page: keyof typeof PAGES, event: string, properties?: BrowserEvent["properties"]];

function makeVisit(person: Person, { plugins }: Instance, random: Random): readonly Step[] {
  const login: readonly Step[] = random.isLikely(0.3) ? [["login", "LOGIN_PAGE_LOAD"]] : [];
  if (!person.isBuilder) return [...login, ["viewer", "VIEWER_PAGE_LOAD"]];
  const pluginType = random.pick(plugins).type;
  const isNew = random.isLikely(0.25);
  return [
    ...login,
    ["applications", "APPLICATIONS_PAGE_LOAD"],
    ["applications", isNew ? "CREATE_APPLICATION_CLICK" : "EDIT_APPLICATION_CLICK"],
    ["editor", "EDITOR_PAGE_LOAD"],
    ...sometimes<Step>(random, 0.2, ["datasources", "DATASOURCES_PAGE_LOAD"]),
    ...sometimes<Step>(random, 0.7, ["editor", "RUN_QUERY_CLICK", { pluginType }]),
    ...sometimes<Step>(random, 0.3, ["editor", "DEPLOY_CLICK"]),
    ...sometimes<Step>(random, 0.06, ["editor", "INVITE_USER_CLICK", { role: "app_viewer" }]),
  ];
}

function sometimes<Value>(random: Random, probability: number, value: Value): readonly Value[] {
  return random.isLikely(probability) ? [value] : [];
}

/** Random times within a span, at an average rate of `perMs` per millisecond. */
function timesAtRate({ fromMs, toMs }: Span, perMs: number, random: Random): readonly number[] {
  const times: number[] = [];
  const pause = (): number => -Math.log(1 - random.next()) / perMs;
  for (let atMs = fromMs + pause(); atMs < toMs; atMs += pause()) times.push(atMs);
  return times;
}

function startAt({ starts }: Instance, atMs: number): Start {
  return starts.findLast((start) => start.atMs <= atMs) ?? starts[0];
}

function isUp({ life, outages }: Instance, atMs: number): boolean {
  return isWithin(life, atMs) && !outages.some((outage) => isWithin(outage, atMs));
}

function isWithin({ fromMs, toMs }: Span, atMs: number): boolean {
  return atMs >= fromMs && atMs < toMs;
}
