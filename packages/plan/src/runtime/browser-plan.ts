/** Reduces a plan to what the browser SDK needs of it: names, pages, controls, and which values it may read. */
import type { Field, Fields, Plan, PlanEvent } from "../plan.ts";

/** What a browser may send, as JSON. Nothing in it says why: it is for programs. */
export interface BrowserPlan {
  readonly version: number;
  /** In the order of the plan: of two routes that match a page, the first counts. */
  readonly events: readonly BrowserEvent[];
  /** The fields of `context` that it may fill in. */
  readonly context: BrowserContext;
}

export interface BrowserEvent {
  readonly name: string;
  /** Absent for a `track` event. */
  readonly type?: "page";
  /** Templates of the pages on whose opening it is sent. */
  readonly routes?: readonly string[];
  /** A CSS selector of the controls on whose click it is sent. */
  readonly selector?: string;
  /** The names of its properties. */
  readonly fields: readonly string[];
}

/** By name: `true` for any value, the values allowed, or the fields of an object. */
export interface BrowserContext {
  readonly [name: string]: true | readonly string[] | BrowserContext;
}

/** @param plan what the instance's consent covers, see `narrowPlan` */
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
