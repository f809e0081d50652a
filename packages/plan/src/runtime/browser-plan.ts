/** Derives from a plan what the browser SDK needs. */
import type { Field, Fields, Plan, PlanEvent } from "../plan.ts";

/** What a browser may send, as JSON. It contains no explanations, because only programs read it. */
export interface BrowserPlan {
  readonly version: number;
  /** The events in the order of the plan. If the routes of two events match a page, the first one counts. */
  readonly events: readonly BrowserEvent[];
  /** The fields of `context` that the browser SDK may fill in. */
  readonly context: BrowserContext;
}

export interface BrowserEvent {
  readonly name: string;
  /** Absent for a `track` event. */
  readonly type?: "page";
  /** Templates of pages. The event is sent when one of them is opened. */
  readonly routes?: readonly string[];
  /** A CSS selector. The event is sent when a matching control is clicked. */
  readonly selector?: string;
  /** The names of the event's properties. */
  readonly fields: readonly string[];
}

/** For each name: `true` for any value, the allowed values, or the fields of an object. */
export interface BrowserContext {
  readonly [name: string]: true | readonly string[] | BrowserContext;
}

/**
 * Returns what the browser SDK needs of a plan.
 * @param plan the part of the plan that the instance's consent covers, see `narrowPlan`
 */
export function toBrowserPlan(plan: Plan): BrowserPlan {
  const own = plan.events.filter(({ sources }) => sources.includes("client"));
  return {
    version: plan.version,
    events: own.filter(({ type }) => type === "track" || type === "page").map(toEvent),
    context: toContext(plan.sources.client?.context ?? {}),
  };
}

function toEvent({ type, name = "", routes, selector, fields }: PlanEvent): BrowserEvent {
  return {
    name,
    ...(type === "page" && { type }),
    ...(routes.length > 0 && { routes }),
    ...(selector !== undefined && { selector }),
    fields: Object.keys(fields),
  };
}

function toContext(fields: Fields): BrowserContext {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, toAllowed(field)]));
}

function toAllowed(field: Field): BrowserContext[string] {
  if (field.type === "object") return toContext(field.fields);
  return field.type === "string" && field.enum !== undefined ? field.enum : true;
}
