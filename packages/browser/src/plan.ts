/**
 * Defines the parts of a plan that the browser SDK needs, and applies them to a page's address and context.
 */

/**
 * The plan as the gateway returns it. Mirrors `BrowserPlan` of @candor/plan, which must not be imported here.
 */
export interface BrowserPlan {
  readonly version: number;
  /** If two routes match a page, the first one applies. */
  readonly events: readonly BrowserEvent[];
  readonly context: BrowserContext;
}

export interface BrowserEvent {
  readonly name: string;
  /** Absent for a `track` event. */
  readonly type?: "page";
  /** Templates of the pages that send this event when they open. */
  readonly routes?: readonly string[];
  /** A CSS selector for the controls that send this event when clicked. */
  readonly selector?: string;
  /** The names of the event's properties. */
  readonly fields: readonly string[];
}

/**
 * What a message's context may contain, by name: `true` for any value, a list of allowed values, or an
 * object's fields.
 */
export interface BrowserContext {
  readonly [name: string]: true | readonly string[] | BrowserContext;
}

/** A product's generated plan (`candor generate ts`). Only its types are used. */
export interface TypedPlan<Sources = unknown> {
  readonly sources?: Sources;
}

type ClientOf<P> = P extends { readonly sources?: infer S }
  ? NonNullable<S> extends { readonly client: infer Client }
    ? Client
    : unknown
  : unknown;

/** The client's events by name, each with its properties. Without a typed plan, any event is allowed. */
export type EventsOf<P> =
  ClientOf<P> extends { readonly events: infer Events }
    ? Events
    : { readonly [name: string]: { readonly [property: string]: unknown } };

/** The argument after an event's name, which is optional if no property is required. */
export type Given<Properties> =
  Record<never, never> extends Properties ? [properties?: Properties] : [properties: Properties];

/** A page that the plan names. */
export interface Page {
  readonly event: BrowserEvent;
  /** The page's route, with placeholders instead of ids, so that it does not identify anybody's data. */
  readonly template: string;
}

/** Finds the page at an address. @returns undefined if the plan does not name the page */
export function findPage(
  { events }: BrowserPlan,
  { pathname, hash }: Pick<Location, "pathname" | "hash">,
): Page | undefined {
  for (const event of events) {
    const template = event.routes?.find((route) => matches(route, route[0] === "#" ? hash : pathname));
    if (template !== undefined) return { event, template };
  }
  return undefined;
}

/**
 * Whether a template matches a path, ignoring trailing slashes and a query. For a fragment route, both begin
 * with `#`.
 */
function matches(template: string, path: string): boolean {
  const pattern = template.replace(/\./g, "\\.").replace(/:\w+/g, "[^/?]+").replace(/\/\*$/, "(/[^?]*)?");
  return RegExp(`^${pattern}/*(\\?.*)?$`).test(path);
}

/** Selects those of the given values that the plan allows. */
export function pick(allowed: BrowserContext, given: Values): Values {
  const picked: Values = {};
  for (const [name, rule] of Object.entries(allowed)) {
    const value = given[name];
    if (rule === true || (Array.isArray(rule) && rule.includes(value))) picked[name] = value;
    else if (!Array.isArray(rule) && value && typeof value === "object")
      picked[name] = pick(rule as BrowserContext, value as Values);
  }
  return picked;
}

export interface Values {
  [name: string]: unknown;
}
