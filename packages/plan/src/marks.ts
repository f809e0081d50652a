/** Finds what reports read: the heartbeat, its facts, its link to an install, the usage events and the pages. */
import { LINK_FIELD } from "./generate/shell-gaps.ts";
import type { Plan, PlanEvent } from "./plan.ts";

/** Returns the event that says that an instance is alive; undefined if the plan marks none. */
export function heartbeatOf({ events }: Plan): PlanEvent | undefined {
  return events.find(({ heartbeat }) => heartbeat);
}

/** Returns the sorted names of the facts that the heartbeat carries. */
export function factsOf(plan: Plan): string[] {
  return Object.entries(heartbeatOf(plan)?.fields ?? {})
    .filter(([, { fact }]) => fact)
    .map(([name]) => name)
    .sort();
}

/**
 * Returns the heartbeat's field that has the installer's id for the install from which the instance came;
 * undefined if the plan does not declare it.
 */
export function installLinkOf(plan: Plan): string | undefined {
  return heartbeatOf(plan)?.fields[LINK_FIELD] === undefined ? undefined : LINK_FIELD;
}

/** Returns the names of the client's events that are sent when a page opens, besides those of type `page`. */
export function pageEventsOf({ events }: Plan): string[] {
  return events
    .filter(
      ({ type, sources, routes }) => type === "track" && sources.includes("client") && routes.length > 0,
    )
    .flatMap(({ name }) => name ?? []);
}

/**
 * Returns the events that say what an instance is used for: all except the heartbeat and those that only
 * the installer sends.
 */
export function usageEventsOf({ events }: Plan): PlanEvent[] {
  return events.filter(
    ({ heartbeat, sources }) => !heartbeat && sources.some((source) => source !== "installer"),
  );
}
