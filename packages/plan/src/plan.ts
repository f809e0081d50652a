/** Defines the plan in memory, and derives names and labels from it. */
import { RULES, type Rule, SOURCES, type Source } from "@candor/consent";
import type { MessageType } from "@candor/envelope";

/**
 * The plan in memory, as `loadPlan` creates it from the YAML file: defaults are filled in, and every rule of
 * the format has been checked. Plain JSON data. docs/plan-format.md explains each key of the file.
 */
export interface Plan {
  readonly product: string;
  /** The address to which people can write about the plan: an e-mail address or a URL. */
  readonly contact: string;
  /**
   * Increases whenever what is collected changes. A consent record names the version that it was given for.
   */
  readonly version: number;
  readonly about: string | undefined;
  /** What is never collected, in the words of the product's developers. */
  readonly promises: readonly string[];
  /** The exact steps to turn telemetry off. */
  readonly turnOff: readonly string[];
  readonly switches: PlanSwitches;
  readonly contacts: { readonly retentionDays: number };
  readonly changelog: readonly PlanChange[];
  readonly sources: Readonly<Partial<Record<PlanSourceName, PlanSource>>>;
  readonly events: readonly PlanEvent[];
}

/** The environment variables of the product. */
export interface PlanSwitches {
  /**
   * If any of these variables has a value that is neither empty nor a No (`0`, `false`, `no`, `off`), nothing
   * is sent. The first one is the variable that people are told about.
   */
  readonly disable: readonly [string, ...string[]];
  /** The variable that holds the answer to the opt-in question; undefined if the plan names none. */
  readonly optIn: string | undefined;
}

export interface PlanChange {
  readonly version: number;
  /** The date as `YYYY-MM-DD`. */
  readonly date: string;
  readonly text: string;
}

/** The sources and consent rules are shared with `@candor/consent`. */
export { RULES as CONSENT_RULES, SOURCES as PLAN_SOURCES };
export type PlanSourceName = Source;
export type ConsentRule = Rule;

/**
 * What happens to an IP address. Its country is looked up first, except with `drop`. Ordered from least to
 * most kept.
 */
export const IP_POLICIES = ["drop", "country", "truncate", "hash", "keep"] as const;
export type IpPolicy = (typeof IP_POLICIES)[number];

/**
 * What happens to a user agent: removed, reduced to `Chrome on macOS`, or kept whole. Ordered from least to
 * most kept.
 */
export const USER_AGENT_POLICIES = ["drop", "family", "keep"] as const;
export type UserAgentPolicy = (typeof USER_AGENT_POLICIES)[number];

/**
 * `observe` also keeps what the plan does not allow, without addresses, and counts it: for developers who are
 * introducing a plan.
 */
export const PLAN_MODES = ["enforce", "observe"] as const;
export type PlanMode = (typeof PLAN_MODES)[number];

export interface PlanSource {
  /** A description of this source for the public page. */
  readonly description: string;
  readonly consent: ConsentRule;
  readonly mode: PlanMode;
  readonly ip: IpPolicy;
  readonly userAgent: UserAgentPolicy;
  readonly retentionDays: number;
  /**
   * The paths at which the source's messages contain the instance's id, with the canonical path first. A
   * message belongs to an instance if any of these paths contains the instance's id.
   */
  readonly instanceIds: readonly InstanceIdPath[];
  /** The fields of `context` that the source's messages may contain. */
  readonly context: Fields;
  /** The forms in which ids are sent and kept. Any other id is hashed, or not sent at all. */
  readonly ids: Readonly<Partial<Record<IdName, Field>>>;
}

/** `properties.NAME` is the trait NAME in an `identify` or `group` message. */
export type InstanceIdPath = "anonymousId" | `properties.${string}`;

export const ID_NAMES = ["userId", "anonymousId", "groupId", "previousId"] as const;
export type IdName = (typeof ID_NAMES)[number];

/**
 * An event is identified by its type and name. A `track` event has a name, `page` and `screen` events may
 * have one, and `identify`, `group` and `alias` have none.
 */
export interface PlanEvent {
  readonly type: MessageType;
  /** Undefined if the type alone identifies the event. */
  readonly name: string | undefined;
  readonly sources: readonly PlanSourceName[];
  readonly since: number;
  readonly why: string;
  readonly owner: string;
  /** A link to where the event was discussed and agreed. */
  readonly review: string;
  /**
   * The date, as `YYYY-MM-DD` in UTC, from which the event is dropped (only in mode `enforce`); undefined if
   * it does not expire.
   */
  readonly expires: string | undefined;
  /** The event's own consent rule, if it differs from the source's rule. */
  readonly consent: ConsentRule | undefined;
  /**
   * How many of these events one process with the server SDK sends per minute at most. Of further events,
   * only the number is sent.
   */
  readonly maxPerMinute: number;
  /**
   * Templates of pages, such as `/app/:app/edit`. The browser SDK sends this event when one of them is
   * opened.
   */
  readonly routes: readonly string[];
  /**
   * A CSS selector. The browser SDK sends this event when a matching control is clicked, and also for
   * controls that name the event in `data-telemetry`.
   */
  readonly selector: string | undefined;
  /** Whether this event says that the instance is alive. */
  readonly heartbeat: boolean;
  /** The event's `properties`; for identify and group, the `traits`. */
  readonly fields: Fields;
}

export type Fields = Readonly<Record<string, Field>>;

/**
 * Ordered from least to most sensitive: about the machine, about what is done, what people typed, how to
 * contact them.
 */
export const SENSITIVITIES = ["technical", "interaction", "content", "contact"] as const;
export type Sensitivity = (typeof SENSITIVITIES)[number];

export interface FieldAbout {
  readonly sensitivity: Sensitivity;
  readonly description: string;
  /**
   * A value for the sample on the public page; undefined for an object, whose fields have their own examples.
   */
  readonly example: JsonExample | undefined;
  readonly since: number;
  /**
   * Whether a message is dropped if this field is missing or its value is invalid (only in mode `enforce`).
   */
  readonly required: boolean;
  /** Why content is collected at all. Always present if the sensitivity is `content`. */
  readonly exception: string | undefined;
  /** Whether the field gets its own column in the store, for queries. */
  readonly column: boolean;
  /** Whether the field is a fact of the instance, by which reports count instances. */
  readonly fact: boolean;
  /** Whether reports count the event by this field. */
  readonly dimension: boolean;
  /** What the field's value says of an event's success or duration; undefined if it says neither. */
  readonly measure: Measure | undefined;
  /**
   * For a contact field, the names of the event's other fields that are kept with it; empty for any other
   * field.
   */
  readonly keptWith: readonly string[];
}

/** `success`: a boolean that says whether it worked. `duration`: a number of milliseconds. */
export const MEASURES = ["success", "duration"] as const;
export type Measure = (typeof MEASURES)[number];

export type JsonExample = string | number | boolean | readonly (string | number | boolean)[];

export type Field = FieldAbout & FieldType;

export type FieldType = StringType | NumberType | { readonly type: "boolean" } | ObjectType | ArrayType;

/**
 * What a string contains. A `version` is never mistaken for an IP address. Of a `url`, only the path is kept.
 * An `ip` or a `user_agent` is handled by the source's policies.
 */
export const STRING_FORMATS = ["text", "version", "url", "ip", "user_agent", "email"] as const;
export type StringFormat = (typeof STRING_FORMATS)[number];

export interface StringType {
  readonly type: "string";
  readonly format: StringFormat;
  /** The maximum length in UTF-16 code units, after redaction. */
  readonly maxLength: number;
  readonly enum: readonly string[] | undefined;
  /** A regular expression for the whole value, without ^ and $. */
  readonly pattern: string | undefined;
  /** A description of what the pattern matches: `random UUID`. */
  readonly form?: string | undefined;
  /**
   * Whether the SDK replaces the value by its keyed hash. A collector accepts only lower-case hex of 32 to 64
   * characters, and hashes it once more.
   */
  readonly hash: boolean;
}

export interface NumberType {
  readonly type: "integer" | "number";
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  /** Lower bounds in ascending order. A number is replaced by the greatest bound that does not exceed it. */
  readonly buckets: readonly number[] | undefined;
}

export interface ObjectType {
  readonly type: "object";
  readonly fields: Fields;
}

/** The limit for a string without `max_length`, in UTF-16 code units. */
export const DEFAULT_MAX_LENGTH = 256;
/**
 * The limit for an event without `max_per_minute`. It is far more than people cause, but low enough that a
 * loop in a product does no harm.
 */
export const DEFAULT_MAX_PER_MINUTE = 1000;
/** The limit for an array without `max_items`. */
export const DEFAULT_MAX_ITEMS = 32;

export interface ArrayType {
  readonly type: "array";
  readonly items: StringType | NumberType | { readonly type: "boolean" };
  readonly maxItems: number;
}

/**
 * The paths at which a source's messages contain the instance's id, unless the plan names another path. The
 * server SDK sends the instance's id as the `anonymousId` of each message, so even events that do not declare
 * the property contain the id.
 */
export function usualInstanceIds(source: PlanSourceName): readonly InstanceIdPath[] {
  return source === "server" ? ["properties.instanceId", "anonymousId"] : ["properties.instanceId"];
}

/** The event's label in texts for people: `track Installation Started`, `identify`. */
export function labelOf(event: { readonly type: string; readonly name: string | undefined }): string {
  return event.name === undefined ? event.type : `${event.type} ${event.name}`;
}

/** The consent rule under which a source sends an event. `opt-in` if the plan does not declare the source. */
export function consentOf(plan: Plan, source: PlanSourceName, event: PlanEvent): ConsentRule {
  return event.consent ?? plan.sources[source]?.consent ?? "opt-in";
}

/**
 * The name of the environment variable that determines what a product does with its messages (`log` prints
 * them without sending): `ACME_CLOUD_TELEMETRY` for `Acme Cloud`. Any product name yields a name that is
 * valid in sh.
 */
export function modeSwitch(product: string): string {
  return `${stemOf(product)}_TELEMETRY`;
}

/**
 * The name of the environment variable with which operators expect to turn a product off:
 * `NODE_RED_DISABLE_TELEMETRY` for `Node-RED`.
 */
export function usualDisableSwitch(product: string): string {
  return `${stemOf(product)}_DISABLE_TELEMETRY`;
}

/** The prefix of the names of a product's environment variables. */
function stemOf(product: string): string {
  const stem = product.replace(/[^A-Za-z0-9]+/g, "_").toUpperCase();
  return /^\d/.test(stem) ? `_${stem}` : stem;
}

/** The part of a message that contains the event's fields. */
export function rootOf(type: MessageType): "properties" | "traits" {
  return type === "identify" || type === "group" ? "traits" : "properties";
}
