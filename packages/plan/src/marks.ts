/** Finds what reports read: the heartbeat, its facts, and the usage events. */
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
 * Returns the events that say what an instance is used for: all except the heartbeat and those that only
 * the installer sends.
 */
export function usageEventsOf({ events }: Plan): PlanEvent[] {
  return events.filter(
    ({ heartbeat, sources }) => !heartbeat && sources.some((source) => source !== "installer"),
  );
}
