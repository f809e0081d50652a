/** Derives the types of a product's calls from its generated plan, and reads that plan. */
import { compilePlan, type Plan } from "@candor/plan/runtime";

/** What `candor generate ts`, `js` and `cjs` export as `plan`. */
export interface GeneratedPlan<Sources = unknown> {
  /** SHA-256 of what the plan collects, lower-case hex. */
  readonly hash: string;
  /** The plan as a JSON value, not as text. */
  readonly content: unknown;
  /** Does not exist at run time; carries the types. */
  readonly sources?: Sources;
}

type ServerOf<P> = P extends { readonly sources?: infer S }
  ? NonNullable<S> extends { readonly server: infer Server }
    ? Server
    : unknown
  : unknown;

type Named = { readonly [name: string]: object };
type PartOf<P, Part extends string> =
  ServerOf<P> extends { readonly [Key in Part]: infer Calls } ? Calls : Named;

/** The server's events by name, with the properties of each. */
export type EventsOf<P> = PartOf<P, "events">;
export type PagesOf<P> = PartOf<P, "pages">;
export type ScreensOf<P> = PartOf<P, "screens">;
type TraitsOf<P> = ServerOf<P> extends { readonly traits: infer Traits } ? Traits : object;
export type IdentifyTraitsOf<P> = TraitsOf<P> extends { readonly identify: infer T } ? T : object;
export type GroupTraitsOf<P> = TraitsOf<P> extends { readonly group: infer T } ? T : object;

/** The properties that a product may set in a heartbeat; the SDK adds the others. */
export type HeartbeatFactsOf<P> =
  EventsOf<P> extends { readonly "Instance Active": infer Facts }
    ? {
        readonly [Name in Exclude<keyof Facts, "boot" | "instanceId" | "environment" | "installId">]?:
          | Facts[Name]
          | undefined;
      }
    : object;

/** `instanceId` and `environment` may be omitted: the SDK knows them. */
export type Properties<P> = Omit<P, Known> & Partial<Pick<P, Known & keyof P>>;
type Known = "instanceId" | "environment";

/** The arguments of a call that follow the event's name. Properties may be omitted if none is required. */
export type Given<P, About> =
  Record<never, never> extends P
    ? [properties?: P | undefined, about?: About | undefined]
    : [properties: P, about?: About | undefined];

/** Reads the plan of a generated module; undefined if the value is not such a plan. */
export function readPlan(plan: unknown): { readonly content: Plan; readonly hash: string } | undefined {
  if (typeof plan !== "object" || plan === null || !("hash" in plan) || !("content" in plan))
    return undefined;
  const { hash, content } = plan;
  if (typeof hash !== "string" || !/^[0-9a-f]{64}$/.test(hash) || !isPlan(content)) return undefined;
  return canBeCompiled(content) ? { content, hash } : undefined;
}

/**
 * Whether the plan compiles. `candor generate` has checked it, so a failure means that the plan comes from
 * elsewhere.
 */
function canBeCompiled(plan: Plan): boolean {
  try {
    compilePlan(plan, { address: () => undefined, userAgent: () => undefined, pseudonym: () => "" });
    return true;
  } catch {
    return false;
  }
}

/** Whether the plan names a variable that turns telemetry off. Without one, telemetry must not start. */
function hasDisableSwitch(switches: unknown): boolean {
  if (typeof switches !== "object" || switches === null || !("disable" in switches)) return false;
  const { disable } = switches;
  return Array.isArray(disable) && disable.length > 0 && disable.every((name) => typeof name === "string");
}

function isPlan(content: unknown): content is Plan {
  return (
    typeof content === "object" &&
    content !== null &&
    "product" in content &&
    typeof content.product === "string" &&
    "version" in content &&
    typeof content.version === "number" &&
    "switches" in content &&
    hasDisableSwitch(content.switches) &&
    "sources" in content &&
    "events" in content &&
    Array.isArray(content.events)
  );
}
