/** Defines the plan in memory. */
import { RULES, type Rule, SOURCES, type Source } from "@candor/consent";
import type { MessageType } from "@candor/envelope";

/**
 * The plan in memory, as `loadPlan` makes it from the YAML file: defaults filled in, every rule of the format
 * checked. Plain JSON data. docs/plan-format.md explains each key as written in the file.
 */
export interface Plan {
  readonly product: string;
  /** Where people write to about the plan: an e-mail address or a URL. */
  readonly contact: string;
  /** Grows whenever more is collected; a consent record names the version that it was given for. */
  readonly version: number;
  readonly about: string | undefined;
  /** What is never collected, in the maker's words. */
  readonly promises: readonly string[];
  /** The exact steps that turn telemetry off. */
  readonly turnOff: readonly string[];
  readonly switches: PlanSwitches;
  readonly contacts: { readonly retentionDays: number };
  readonly changelog: readonly PlanChange[];
  readonly sources: Readonly<Partial<Record<PlanSourceName, PlanSource>>>;
  readonly events: readonly PlanEvent[];
}

/** Environment variables of the product. */
export interface PlanSwitches {
  /** If any of them is truthy, nothing is sent. The first is the one that people are told about. */
  readonly disable: readonly [string, ...string[]];
  /** Truthy after a Yes to the question about the client; undefined if no source asks one. */
  readonly optIn: string | undefined;
}

export interface PlanChange {
  readonly version: number;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly text: string;
}

/** The sources of a plan, and the rules for them, are those that consent decides on. */
export { RULES as CONSENT_RULES, SOURCES as PLAN_SOURCES };
export type PlanSourceName = Source;
export type ConsentRule = Rule;

/** What happens to an IP address; its country is looked up first, except for `drop`. From least to most kept. */
export const IP_POLICIES = ["drop", "country", "truncate", "hash", "keep"] as const;
export type IpPolicy = (typeof IP_POLICIES)[number];

/** What happens to a user agent: removed, `Chrome on macOS`, or kept whole. From least to most kept. */
export const USER_AGENT_POLICIES = ["drop", "family", "keep"] as const;
export type UserAgentPolicy = (typeof USER_AGENT_POLICIES)[number];

/** `observe` keeps what the plan does not declare, and counts it: for makers who are introducing a plan. */
export const PLAN_MODES = ["enforce", "observe"] as const;
export type PlanMode = (typeof PLAN_MODES)[number];

export interface PlanSource {
  /** What this source is, for the public page. */
  readonly description: string;
  readonly consent: ConsentRule;
  readonly mode: PlanMode;
  readonly ip: IpPolicy;
  readonly userAgent: UserAgentPolicy;
  readonly retentionDays: number;
  /**
   * Where its messages carry the instance's id, the canonical place first. A message belongs to the instance that any
   * of them names.
   */
  readonly instanceIds: readonly InstanceIdPath[];
  /** Fields of `context` that its messages may carry. */
  readonly context: Fields;
  /** The forms that ids may have. An id of another form, or an undeclared one, is replaced by its keyed hash. */
  readonly ids: Readonly<Partial<Record<IdName, Field>>>;
}

/** `properties.NAME` is the trait NAME in `identify` and `group`. */
export type InstanceIdPath = "anonymousId" | `properties.${string}`;

export const ID_NAMES = ["userId", "anonymousId", "groupId", "previousId"] as const;
export type IdName = (typeof ID_NAMES)[number];

/**
 * An event is identified by its type and name: `track` and `page` have names; `identify`, `group` and `alias` have
 * none.
 */
export interface PlanEvent {
  readonly type: MessageType;
  /** Undefined if the type alone identifies it (identify, group, alias; a page or screen without a name). */
  readonly name: string | undefined;
  readonly sources: readonly PlanSourceName[];
  readonly since: number;
  readonly why: string;
  readonly owner: string;
  /** Link to where the event was discussed and agreed. */
  readonly review: string;
  /** `YYYY-MM-DD`: from then on it is dropped. */
  readonly expires: string | undefined;
  /** If it differs from its source's rule. */
  readonly consent: ConsentRule | undefined;
  /** The most that one process sends of it in a minute; of the rest only the number is sent. */
  readonly maxPerMinute: number;
  /** Templates of the pages on whose opening the browser SDK sends it: `/app/:app/edit`. */
  readonly routes: readonly string[];
  /** The controls on whose click the browser SDK sends it, besides those that name it in `data-telemetry`. */
  readonly selector: string | undefined;
  /** Its `properties`; for identify and group its `traits`. */
  readonly fields: Fields;
}

export type Fields = Readonly<Record<string, Field>>;

export const SENSITIVITIES = ["technical", "interaction", "content", "contact"] as const;
/** From least to most: about the machine, about what is done, what people typed, how to reach them. */
export type Sensitivity = (typeof SENSITIVITIES)[number];

export interface FieldAbout {
  readonly sensitivity: Sensitivity;
  readonly description: string;
  /** For the public page's sample; undefined for an object, whose fields have their own. */
  readonly example: JsonExample | undefined;
  readonly since: number;
  /** A message without it, or with an invalid value there, is dropped. */
  readonly required: boolean;
  /** Why content is collected at all; always present if the sensitivity is `content`. */
  readonly exception: string | undefined;
  /** Whether it gets a column of its own in the store, for queries. */
  readonly column: boolean;
  /** For a contact field: names of the event's other fields that are kept beside it. Otherwise empty. */
  readonly keptWith: readonly string[];
}

export type JsonExample = string | number | boolean | readonly (string | number | boolean)[];

export type Field = FieldAbout & FieldType;

export type FieldType = StringType | NumberType | { readonly type: "boolean" } | ObjectType | ArrayType;

/**
 * What a string is, beyond text: `version` is never taken for an IP address; `url` keeps only its path; `ip` and
 * `user_agent` follow the source's policies.
 */
export const STRING_FORMATS = ["text", "version", "url", "ip", "user_agent", "email"] as const;
export type StringFormat = (typeof STRING_FORMATS)[number];

export interface StringType {
  readonly type: "string";
  readonly format: StringFormat;
  /** In UTF-16 units, after redaction. */
  readonly maxLength: number;
  readonly enum: readonly string[] | undefined;
  /** A regular expression for the whole value, without ^ and $. */
  readonly pattern: string | undefined;
  /** What the pattern matches, in words: `random UUID`. */
  readonly form?: string | undefined;
  /**
   * Whether the SDK hashes it under a key. A collector accepts only lower-case hex of 32 to 64 characters, and hashes
   * it once more.
   */
  readonly hash: boolean;
}

export interface NumberType {
  readonly type: "integer" | "number";
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  /** Lower bounds, ascending: a number is replaced by the bound below it. */
  readonly buckets: readonly number[] | undefined;
}

export interface ObjectType {
  readonly type: "object";
  readonly fields: Fields;
}

/** For a string without `max_length`, in UTF-16 units. */
export const DEFAULT_MAX_LENGTH = 256;
/**
 * For an event without `max_per_minute`: far more than people cause, and few enough that a loop in a product does no
 * harm.
 */
export const DEFAULT_MAX_PER_MINUTE = 1000;
/** For an array without `max_items`. */
export const DEFAULT_MAX_ITEMS = 32;

export interface ArrayType {
  readonly type: "array";
  readonly items: StringType | NumberType | { readonly type: "boolean" };
  readonly maxItems: number;
}

/**
 * Where a source's messages carry the instance's id if the plan does not say so. The server SDK makes it the
 * `anonymousId` of each message, so events that do not declare the property have it there.
 */
export function usualInstanceIds(source: PlanSourceName): readonly InstanceIdPath[] {
  return source === "server" ? ["properties.instanceId", "anonymousId"] : ["properties.instanceId"];
}

/** The event's name as people write it: `track Installation Started`, `identify`. */
export function labelOf(event: { readonly type: string; readonly name: string | undefined }): string {
  return event.name === undefined ? event.type : `${event.type} ${event.name}`;
}

/** The rule under which a source sends an event; the stricter one if the plan has no such source. */
export function consentOf(plan: Plan, source: PlanSourceName, event: PlanEvent): ConsentRule {
  return event.consent ?? plan.sources[source]?.consent ?? "opt-in";
}

/**
 * The environment variable that says what a product does with its messages (`log`: print, never send): `Acme Cloud`
 * has `ACME_CLOUD_TELEMETRY`. Any product name yields a name that sh accepts.
 */
export function modeSwitch(product: string): string {
  return `${stemOf(product)}_TELEMETRY`;
}

/**
 * The environment variable by which operators expect to turn a product off: `Node-RED` has
 * `NODE_RED_DISABLE_TELEMETRY`.
 */
export function usualDisableSwitch(product: string): string {
  return `${stemOf(product)}_DISABLE_TELEMETRY`;
}

/** The prefix of the names of a product's variables. */
function stemOf(product: string): string {
  const stem = product.replace(/[^A-Za-z0-9]+/g, "_").toUpperCase();
  return /^\d/.test(stem) ? `_${stem}` : stem;
}

/** Where a message carries the event's fields. */
export function rootOf(type: MessageType): "properties" | "traits" {
  return type === "identify" || type === "group" ? "traits" : "properties";
}
