/** Hashes what a plan collects. */
import { createHash } from "node:crypto";
import {
  consentOf,
  DEFAULT_MAX_PER_MINUTE,
  type Field,
  type Fields,
  labelOf,
  type Plan,
  type PlanEvent,
  type PlanSource,
} from "./plan.ts";

/**
 * Returns the SHA-256, as lower-case hex, of what a plan collects: the sources, events and fields with their
 * consent rules, policies, limits and retention. Everything else, such as texts, the version and the order in
 * the file, does not affect the hash. A consent record contains the hash, to tell whether the plan of that
 * version still collects the same data.
 */
export function hashPlan(plan: Plan): string {
  const collected = {
    contacts: plan.contacts,
    sources: mapValues(plan.sources, toSource),
    events: Object.fromEntries(plan.events.map((event) => [labelOf(event), toEvent(plan, event)])),
  };
  return createHash("sha256").update(toCanonical(collected)).digest("hex");
}

/**
 * Removes by name what does not affect what is collected (texts, the places of instance ids), so that a key
 * that is later added to the format affects the hash.
 */
function toSource({ description: _, instanceIds: _found, context, ids, ...collected }: PlanSource) {
  return { ...collected, context: toFields(context), ids: toFields(ids) };
}

/**
 * Adds the consent rule under which each source sends the event, whether the event or the source defines the
 * rule. Leaves out the default rate, so that plans from before rates existed keep their hashes.
 */
function toEvent(plan: Plan, event: PlanEvent) {
  const { why: _why, owner: _owner, review: _review, consent: _consent, ...more } = event;
  const { routes: _routes, selector: _selector, heartbeat: _heartbeat, ...collected } = more;
  const sources = Object.fromEntries(event.sources.map((source) => [source, consentOf(plan, source, event)]));
  const maxPerMinute = event.maxPerMinute === DEFAULT_MAX_PER_MINUTE ? undefined : event.maxPerMinute;
  return { ...collected, maxPerMinute, sources, fields: toFields(event.fields) };
}

function toFields(fields: Partial<Fields>) {
  return mapValues(fields, toField);
}

/** Leaves out texts, and the keys that only say how the collected data is stored and evaluated. */
function toField(field: Field): object {
  const {
    description: _,
    example: _example,
    exception: _exception,
    column: _column,
    fact: _fact,
    dimension: _dimension,
    measure: _measure,
    ...collected
  } = field;
  const keptWith = field.keptWith.toSorted();
  if (collected.type === "object") return { ...collected, keptWith, fields: toFields(collected.fields) };
  if (collected.type === "array") return { ...collected, keptWith, items: toLimits(collected.items) };
  return { ...toLimits(collected), keptWith };
}

/** Sorts the values of an `enum`, which have no order, and leaves out `form`, which is text. */
function toLimits(all: object) {
  const { form: _, ...limits } = all as { readonly form?: unknown };
  return "enum" in limits && Array.isArray(limits.enum)
    ? { ...limits, enum: limits.enum.toSorted() }
    : limits;
}

function mapValues<Value, Result>(
  record: Readonly<Partial<Record<string, Value>>>,
  change: (value: Value) => Result,
): { [key: string]: Result } {
  return Object.fromEntries(
    Object.entries(record).flatMap(([key, value]) => (value === undefined ? [] : [[key, change(value)]])),
  );
}

/** JSON with sorted keys. A key whose value is undefined counts as absent. */
function toCanonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(toCanonical).join(",")}]`;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, inner]) => `${JSON.stringify(key)}:${toCanonical(inner)}`).join(",")}}`;
}
