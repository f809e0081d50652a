/** Compiles a plan, so that messages can be checked against it. */
import { isObject, type JsonObject, type MessageType, valueFaultOf } from "@candor/envelope/wire";
import {
  type IdName,
  labelOf,
  type Plan,
  type PlanEvent,
  type PlanSource,
  type PlanSourceName,
  rootOf,
} from "../plan.ts";
import { isAddress } from "./address.ts";
import { compileKeyedHash } from "./check-hash.ts";
import { compileString } from "./check-string.ts";
import { compileObject } from "./check-value.ts";
import { Notes } from "./notes.ts";
import type { Place, Redactors, ValueCheck } from "./place.ts";
import { isMarked, scrub } from "./scrub.ts";
import { scrubValue } from "./scrub-value.ts";
import type { Contact, RefuseReason, Verdict } from "./verdict.ts";

/**
 * The part of a message that is checked. Every Envelope has these fields. The check may replace them, except
 * `type`, and may change values in properties and traits in place. The context may be shared with other
 * messages, so it is copied if something in it changes.
 */
export interface CheckedMessage {
  readonly type: MessageType;
  event: string | undefined;
  name: string | undefined;
  category: string | undefined;
  userId: string | undefined;
  anonymousId: string | undefined;
  groupId: string | undefined;
  previousId: string | undefined;
  properties: JsonObject | undefined;
  traits: JsonObject | undefined;
  context: JsonObject;
  integrations: JsonObject;
}

/** A plan, compiled to check messages. */
export interface CompiledPlan {
  readonly plan: Plan;
  /**
   * Checks a message, and removes from it in place what the plan does not allow. Synchronous; never throws. A
   * dropped message may have been checked only partly, so it must not be kept.
   * @param atMs the current time in epoch milliseconds, for events that expire
   */
  check(source: PlanSourceName, message: CheckedMessage, atMs: number): Verdict;
  /**
   * The event that a source may send under a type and a name, even if the event has expired; undefined if
   * there is none. `name` is the `event` of a track; identify, group and alias are identified by their type.
   */
  find(source: PlanSourceName, type: MessageType, name: string | undefined): PlanEvent | undefined;
}

/**
 * Compiles a plan, so that a check finds the message's event and fields by look-ups, without searching the
 * plan.
 */
export function compilePlan(plan: Plan, redactors: Redactors): CompiledPlan {
  const notes = new Notes();
  const rules = new Map<PlanSourceName, SourceRules>();
  for (const [name, source] of Object.entries(plan.sources) as [PlanSourceName, PlanSource][]) {
    rules.set(name, compileSource(name, source, plan, redactors));
  }
  const known = new Set(plan.events.map((event) => eventKey(event.type, event.name)));
  return {
    plan,
    check: (source, message, atMs) => {
      const sourceRules = rules.get(source);
      const name = message.type === "track" ? message.event : message.name;
      const rule = sourceRules?.events.get(message.type)?.get(nameOf(message.type, name));
      if (rule === undefined || sourceRules === undefined) {
        const reason = known.has(eventKey(message.type, name)) ? "wrong_source" : "event_not_in_plan";
        if (sourceRules?.source.mode === "observe") return observeUnknown(message, sourceRules, notes);
        return refusal(UNKNOWN_EVENT, reason, notes);
      }
      if (atMs >= rule.expiresAtMs && !rule.isObserved) return refusal(rule.label, "event_expired", notes);
      return checkKnown(message, rule, sourceRules, notes);
    },
    find: (source, type, name) => rules.get(source)?.events.get(type)?.get(nameOf(type, name))?.event,
  };
}

/** Stands for every event that is not in the plan. Its real name is not used, because a client chose it. */
export const UNKNOWN_EVENT = "*";

interface SourceRules {
  readonly source: PlanSource;
  readonly place: Place;
  readonly events: ReadonlyMap<MessageType, ReadonlyMap<string, EventRule>>;
  readonly context: ValueCheck;
  readonly ids: Readonly<Record<IdName, IdCheck>>;
}

interface EventRule {
  readonly event: PlanEvent;
  readonly label: string;
  readonly expiresAtMs: number;
  readonly isObserved: boolean;
  readonly root: "properties" | "traits";
  readonly fields: ValueCheck;
  readonly contact: { readonly name: string; readonly keptWith: readonly string[] } | undefined;
  /** The verdict for every message that is kept, without any trim or contact. */
  readonly clean: Verdict;
}

/**
 * Returns the id as it is kept; undefined if nothing of the id is kept. Notes a change, unless the
 * declaration of the id asks for it.
 */
type IdCheck = (value: string, notes: Notes) => string | undefined;

/** The nesting level of properties, traits, context and integrations. The message is level 1. */
const FIELD_LEVEL = 2;

function compileSource(
  name: PlanSourceName,
  source: PlanSource,
  plan: Plan,
  redactors: Redactors,
): SourceRules {
  const { ip, userAgent } = source;
  const place: Place = {
    path: "context",
    level: FIELD_LEVEL,
    isOwn: false,
    ip,
    userAgent,
    observe: source.mode === "observe",
    redactors,
  };
  const events = new Map<MessageType, Map<string, EventRule>>();
  for (const event of plan.events.filter(({ sources }) => sources.includes(name))) {
    const ofType = events.get(event.type) ?? new Map<string, EventRule>();
    ofType.set(event.name ?? "", compileEvent(event, place));
    events.set(event.type, ofType);
  }
  const ids = {
    userId: compileId("userId", source, place),
    anonymousId: compileId("anonymousId", source, place),
    groupId: compileId("groupId", source, place),
    previousId: compileId("previousId", source, place),
  };
  return { source, place, events, context: compileObject(source.context, place), ids };
}

function compileEvent(event: PlanEvent, place: Place): EventRule {
  const label = labelOf(event);
  const root = rootOf(event.type);
  const contact = Object.entries(event.fields).find(([, field]) => field.sensitivity === "contact");
  return {
    event,
    label,
    expiresAtMs: event.expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(event.expires),
    isObserved: place.observe,
    root,
    fields: compileObject(event.fields, { ...place, path: root, isOwn: true }),
    contact: contact && { name: contact[0], keptWith: contact[1].keptWith },
    clean: Object.freeze({ event: label, refused: undefined, trims: [], contact: undefined }),
  };
}

/**
 * Compiles the check of an id. An address is redacted by the policy. Any other id is kept if it has the
 * declared form, or replaced by its keyed hash. A declared hash is hashed once more (see `compileSentHash`).
 * An SDK hashes an id wherever the plan requires it, whatever the id looks like, and sends no undeclared id.
 * In mode `observe`, an id without the declared form is sent and kept too, unless it contains an address.
 */
function compileId(name: IdName, { ids }: PlanSource, place: Place): IdCheck {
  const field = ids[name];
  const keyedHash = compileKeyedHash({ ...place, path: name });
  if (keyedHash !== undefined && field?.type === "string" && field.hash) return keyedHash;
  if (keyedHash !== undefined && field === undefined && !place.observe) return removeId(name);
  const check = field?.type === "string" && field.format === "text" ? compileString(field) : undefined;
  const hasForm = (value: string): boolean => check !== undefined && check(value) === undefined;
  const isHash = field?.type === "string" && field.hash;
  const isAddressField = field?.type === "string" && field.format === "ip";
  return (value, notes) => {
    if (isMarked(value) && isAddress(value)) {
      const left = place.redactors.address(value, place.ip);
      if (left !== value && !isAddressField) notes.add(name, "address_reduced");
      return left;
    }
    if (hasForm(value)) return isHash ? place.redactors.pseudonym(value) : value;
    if (place.observe && scrub(value) === undefined) return value;
    notes.add(name, "id_replaced");
    return place.redactors.pseudonym(value);
  };
}

function removeId(name: IdName): IdCheck {
  return (_value, notes) => {
    notes.add(name, "undeclared");
    return undefined;
  };
}

function checkKnown(message: CheckedMessage, rule: EventRule, rules: SourceRules, notes: Notes): Verdict {
  const given = rule.root === "properties" ? message.properties : message.traits;
  const fields = rule.fields(given ?? NO_FIELDS, notes);
  if (fields !== given && given !== undefined) message[rule.root] = isObject(fields) ? fields : NO_FIELDS;
  const { isRequiredMissing } = notes; // a missing field in the context does not drop the event
  clearOthers(message, rule, notes);
  checkShared(message, rules, notes);
  const contact = rule.contact === undefined ? undefined : takeContact(message, rule.contact, rule.root);
  const refused = notes.fault ?? (isRequiredMissing && !rule.isObserved ? "required_missing" : undefined);
  const trims = notes.take();
  if (trims.length === 0 && contact === undefined && refused === undefined) return rule.clean;
  return { event: rule.label, refused, trims, contact };
}

const NO_FIELDS: JsonObject = Object.freeze({});

/** Removes the parts that a message of this type may not have. */
function clearOthers(message: CheckedMessage, rule: EventRule, notes: Notes): void {
  if (rule.root === "properties" && message.traits !== undefined) {
    discard(message.traits, "traits.*", notes);
    message.traits = undefined;
  } else if (rule.root === "traits" && message.properties !== undefined) {
    discard(message.properties, "properties.*", notes);
    message.properties = undefined;
  }
  if (message.category !== undefined) {
    notes.add("category", "undeclared");
    message.category = undefined;
  }
  if (message.name === undefined || message.type === "page" || message.type === "screen") return;
  notes.add("name", "undeclared");
  message.name = undefined;
}

function discard(value: JsonObject, path: string, notes: Notes): void {
  notes.add(path, "undeclared");
  notes.fault ??= valueFaultOf(value, FIELD_LEVEL);
}

function checkShared(message: CheckedMessage, { context, ids }: SourceRules, notes: Notes): void {
  const kept = context(message.context, notes);
  if (kept !== message.context) message.context = isObject(kept) ? kept : NO_FIELDS;
  for (const _name in message.integrations) {
    discard(message.integrations, "integrations.*", notes);
    message.integrations = NO_FIELDS;
    break;
  }
  const { userId, anonymousId, groupId, previousId } = message;
  if (userId !== undefined) message.userId = ids.userId(userId, notes);
  if (anonymousId !== undefined) message.anonymousId = ids.anonymousId(anonymousId, notes);
  if (groupId !== undefined) message.groupId = ids.groupId(groupId, notes);
  if (previousId !== undefined) message.previousId = ids.previousId(previousId, notes);
}

/**
 * Removes the contact from a message, and returns it with the values that are kept with it; undefined if the
 * message has none.
 */
function takeContact(
  message: CheckedMessage,
  { name, keptWith }: { readonly name: string; readonly keptWith: readonly string[] },
  root: "properties" | "traits",
): Contact | undefined {
  const { [name]: contact, ...rest } = message[root] ?? {};
  if (typeof contact !== "string") return undefined;
  message[root] = rest;
  const about: Record<string, string | number | boolean> = {};
  for (const beside of keptWith) {
    const value = rest[beside];
    if (value !== undefined && typeof value !== "object") about[beside] = value;
  }
  return { contact, about };
}

/**
 * Handles an event that the plan does not declare for the source, in mode `observe`: keeps it without
 * addresses (see `scrubValue`), unless it has a `ValueFault`. Notes the event, but not its properties and
 * traits.
 */
function observeUnknown(message: CheckedMessage, rules: SourceRules, notes: Notes): Verdict {
  const { properties, traits } = message;
  notes.add("*", "undeclared");
  notes.fault = valueFaultOf(properties, FIELD_LEVEL) ?? valueFaultOf(traits, FIELD_LEVEL);
  if (notes.fault !== undefined) return refusal(UNKNOWN_EVENT, notes.fault, notes);
  const clean = (value: JsonObject): JsonObject => {
    const kept = scrubValue(value, rules.place);
    return isObject(kept) ? kept : NO_FIELDS;
  };
  const text = (value: string | undefined): string | undefined =>
    value === undefined ? undefined : (scrub(value)?.text ?? value);
  message.event = text(message.event);
  message.name = text(message.name);
  message.category = text(message.category);
  if (properties !== undefined) message.properties = clean(properties);
  if (traits !== undefined) message.traits = clean(traits);
  checkShared(message, rules, notes);
  const refused = notes.fault;
  return { event: UNKNOWN_EVENT, refused, trims: notes.take(), contact: undefined };
}

function refusal(event: string, refused: RefuseReason, notes: Notes): Verdict {
  return { event, refused, trims: notes.take(), contact: undefined };
}

/**
 * The name that identifies an event. identify, group and alias are identified by their type alone, whatever
 * name they contain.
 */
function nameOf(type: MessageType, name: string | undefined): string {
  return type === "track" || type === "page" || type === "screen" ? (name ?? "") : "";
}

/** A key that identifies the declared event of a message. */
export function eventKey(type: MessageType, name: string | undefined): string {
  return `${type}\n${nameOf(type, name)}`;
}
