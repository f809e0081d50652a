/** Counts what a story sends, so that it can be compared with what the collector stores. */
import { DAY_MS, HOUR_MS, type Install, type Instance, type Story } from "./story.ts";
import { actionsOf, copiedHeartbeatsOf, heartbeatsOf, visitsOf } from "./timeline.ts";

/**
 * An instance is alive if its last heartbeat is at most this old: the interval between heartbeats, and an
 * hour for delays.
 */
const ALIVE_MS = 7 * HOUR_MS;

export type Counts = Readonly<Record<string, number>>;

/** How many messages one instance and its copy send, by kind. */
export interface InstanceCounts {
  readonly heartbeats: number;
  readonly actions: number;
  readonly browserEvents: number;
  /**
   * The time of the last heartbeat of the instance or its copy, in epoch milliseconds; 0 if there is none.
   */
  readonly lastAtMs: number;
}

export interface StoryCounts {
  readonly messages: number;
  readonly heartbeats: number;
  readonly actions: number;
  readonly browserEvents: number;
  /** The number of the installer's events, by name. */
  readonly installer: Counts;
  /** The number of `Installation Errors`, by kind. */
  readonly installErrors: Counts;
  /** The number of installer runs that reported neither success nor an error. */
  readonly silentInstalls: number;
  /** The number of heartbeats, by version. */
  readonly versions: Counts;
  /** The number of instances that are alive at the end, by environment. */
  readonly alive: Counts;
  readonly lateOrLapsed: number;
  readonly gone: number;
  readonly copied: number;
  readonly refused: number;
  /**
   * For the plugin that one release breaks: how many of its actions ran under each version, and how many
   * failed.
   */
  readonly faults: readonly { readonly version: string; readonly failed: number; readonly all: number }[];
}

/**
 * Counts what one instance and its copy send: nothing if the operator refused, and nothing from browsers with
 * a privacy signal.
 */
export function countInstance(story: Story, instance: Instance): InstanceCounts {
  if (instance.isRefused) return { heartbeats: 0, actions: 0, browserEvents: 0, lastAtMs: 0 };
  const own = heartbeatsOf(story, instance);
  const copied = copiedHeartbeatsOf(story, instance);
  const people = instance.people.filter(({ hasPrivacySignal }) => !hasPrivacySignal);
  return {
    heartbeats: own.length + copied.length,
    actions: actionsOf(story, instance).length,
    browserEvents: people.reduce((sum, person) => sum + visitsOf(story, instance, person).length, 0),
    lastAtMs: Math.max(0, ...[own.at(-1), copied.at(-1)].map((last) => last?.atMs ?? 0)),
  };
}

export function countStory(story: Story): StoryCounts {
  const { fleet, installs, endMs } = story;
  const counted = fleet.map((instance) => ({ instance, ...countInstance(story, instance) }));
  const sum = (name: "heartbeats" | "actions" | "browserEvents"): number =>
    counted.reduce((total, one) => total + one[name], 0);
  const installer = tally(installs.flatMap(eventsOf));
  const seen = counted.filter(({ heartbeats }) => heartbeats > 0);
  const isAlive = ({ lastAtMs }: InstanceCounts): boolean => lastAtMs >= endMs - ALIVE_MS;
  const isGone = ({ lastAtMs }: InstanceCounts): boolean => lastAtMs < endMs - 28 * DAY_MS;
  const senders = fleet.filter(({ isRefused }) => !isRefused);
  const heard = installs.filter(({ isRefused }) => !isRefused);
  return {
    messages: sum("heartbeats") + sum("actions") + sum("browserEvents") + total(installer),
    heartbeats: sum("heartbeats"),
    actions: sum("actions"),
    browserEvents: sum("browserEvents"),
    installer,
    installErrors: tally(
      heard.map(({ outcome }) => outcome).filter((one) => one !== "success" && one !== "silent"),
    ),
    silentInstalls: heard.filter(({ outcome }) => outcome === "silent").length,
    versions: tally(senders.flatMap((instance) => versionsOf(story, instance))),
    alive: tally(seen.filter(isAlive).map(({ instance }) => instance.environment)),
    lateOrLapsed: seen.filter((one) => !isAlive(one) && !isGone(one)).length,
    gone: seen.filter(isGone).length,
    copied: senders.filter((instance) => copiedHeartbeatsOf(story, instance).length > 0).length,
    refused: fleet.length - senders.length,
    faults: countFaults(story, senders),
  };
}

/** The names of the events that a run of the installer sends; none if its operator refused. */
export function eventsOf({ outcome, email, isRefused }: Install): readonly string[] {
  if (isRefused) return [];
  const end = outcome === "success" ? ["Installation Success"] : ["Installation Errors"];
  return [
    "Installation Started",
    ...(outcome === "silent" ? [] : end),
    ...(email === undefined ? [] : ["Installation Support"]),
  ];
}

function versionsOf(story: Story, instance: Instance): readonly string[] {
  const all = [...heartbeatsOf(story, instance), ...copiedHeartbeatsOf(story, instance)];
  return all.map(({ start }) => start.release.version);
}

function countFaults(story: Story, fleet: readonly Instance[]): StoryCounts["faults"] {
  const plugin = story.releases.find(({ fault }) => fault !== undefined)?.fault?.plugin;
  const actions = fleet
    .flatMap((instance) => actionsOf(story, instance))
    .filter((one) => one.plugin.plugin === plugin);
  return story.releases.map(({ version }) => {
    const all = actions.filter(({ start }) => start.release.version === version);
    return { version, failed: all.filter(({ isSuccess }) => !isSuccess).length, all: all.length };
  });
}

function tally(names: readonly string[]): Counts {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

export function total(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
