/** Defines what the browser SDK knows of a plan: names, pages, controls, and which values it may read. */

/** As the gateway answers it: `BrowserPlan` of @candor/plan, of which nothing may be imported here. */
export interface BrowserPlan {
  readonly version: number;
  /** Of two routes that match a page, the first counts. */
  readonly events: readonly BrowserEvent[];
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

/** The generated plan of a product (`candor generate ts`): only its types are used. */
export interface TypedPlan<Sources = unknown> {
  readonly sources?: Sources;
}

type ClientOf<P> = P extends { readonly sources?: infer S }
  ? NonNullable<S> extends { readonly client: infer Client }
    ? Client
    : unknown
  : unknown;

/** The client's events by name, with the properties of each; any without a plan's types. */
export type EventsOf<P> =
  ClientOf<P> extends { readonly events: infer Events }
    ? Events
    : { readonly [name: string]: { readonly [property: string]: unknown } };

/** The argument after an event's name: it may be left out if none of the properties is required. */
export type Given<Properties> =
  Record<never, never> extends Properties ? [properties?: Properties] : [properties: Properties];

/** A page that the plan names. */
export interface Page {
  readonly event: BrowserEvent;
  /** With a placeholder where an id would stand, so that it names nobody's things. */
  readonly template: string;
}

/** Finds what the plan calls the page at an address; undefined if it does not name it. */
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

/** Whether a template names a path; of a route in the fragment, both begin with `#`. Slashes at the end do not count. */
function matches(template: string, path: string): boolean {
  const pattern = template.replace(/\./g, "\\.").replace(/:\w+/g, "[^/?]+").replace(/\/\*$/, "(/[^?]*)?");
  return RegExp(`^${pattern}/*(\\?.*)?$`).test(path);
}

/** What of the given values the plan allows. */
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
