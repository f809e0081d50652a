/** Narrows a plan to what a consent for an earlier version covers. */
import { type Field, type Fields, labelOf, type Plan, type PlanSourceName, rootOf } from "../plan.ts";

/** What a consent does not cover, for display to the operator. */
export interface Withheld {
  /** The labels of events: `track Instance Active`. */
  readonly events: readonly string[];
  /**
   * The fields of covered events and sources: `event track Instance Active: properties.boot`,
   * `source server: userId`.
   */
  readonly fields: readonly string[];
}

/**
 * Returns the part of the plan that a consent for `coversVersion` covers, without the events, fields, context
 * fields and ids whose `since` is newer. An event that loses a required field is removed as a whole. So is an
 * object that loses a required field or all of its fields. Every source of the result is in mode `enforce`,
 * because mode `observe` would send what was removed. Returns the given plan itself if its version is not
 * newer than `coversVersion`.
 */
export function narrowPlan(plan: Plan, coversVersion: number): Plan {
  if (coversVersion >= plan.version) return plan;
  const sources: { [Name in PlanSourceName]?: Plan["sources"][Name] } = {};
  for (const [name, source] of sourcesOf(plan)) {
    const context = narrowFields(source.context, coversVersion, "").fields;
    const ids = narrowFields(source.ids, coversVersion, "").fields;
    sources[name] = { ...source, mode: "enforce", context, ids };
  }
  const events = plan.events.flatMap((event) => {
    const { fields, isRequiredLost } = narrowFields(event.fields, coversVersion, "");
    return isCovered(event, coversVersion) && !isRequiredLost ? [{ ...event, fields }] : [];
  });
  return { ...plan, sources, events };
}

/**
 * Lists the events and fields that `narrowPlan` removes, each in the order of the plan. The fields of an
 * event that is removed as a whole are not listed.
 * @param source limits the list to what this source may send; default: all sources
 */
export function withheldOf(plan: Plan, coversVersion: number, source?: PlanSourceName): Withheld {
  const events: string[] = [];
  const fields: string[] = [];
  for (const [name, { context, ids }] of sourcesOf(plan)) {
    if (source !== undefined && source !== name) continue;
    fields.push(...narrowFields(context, coversVersion, `source ${name}: context.`).lost);
    fields.push(...narrowFields(ids, coversVersion, `source ${name}: `).lost);
  }
  for (const event of plan.events) {
    if (source !== undefined && !event.sources.includes(source)) continue;
    const prefix = `event ${labelOf(event)}: ${rootOf(event.type)}.`;
    const { lost, isRequiredLost } = narrowFields(event.fields, coversVersion, prefix);
    if (isCovered(event, coversVersion) && !isRequiredLost) fields.push(...lost);
    else events.push(labelOf(event));
  }
  return { events, fields };
}

/** The newest `since` of everything that a source may send. A consent for that version covers all of it. */
export function newestSince(plan: Plan, source: PlanSourceName): number {
  const events = plan.events.filter(({ sources }) => sources.includes(source));
  const blocks = [
    plan.sources[source]?.context ?? {},
    plan.sources[source]?.ids ?? {},
    ...events.map(({ fields }) => fields),
  ];
  return Math.max(1, ...events.map(({ since }) => since), ...blocks.flatMap(listSince));
}

function listSince(fields: Partial<Fields>): readonly number[] {
  return Object.values(fields).flatMap((field) => {
    if (field === undefined) return [];
    return field.type === "object" ? [field.since, ...listSince(field.fields)] : [field.since];
  });
}

interface Narrowed {
  readonly fields: Fields;
  /** The paths of the removed fields, each with the prefix. */
  readonly lost: readonly string[];
  readonly isRequiredLost: boolean;
}

function narrowFields(all: Partial<Fields>, coversVersion: number, prefix: string): Narrowed {
  const fields: Record<string, Field> = {};
  const lost: string[] = [];
  let isRequiredLost = false;
  for (const [name, field] of Object.entries(all)) {
    if (field === undefined) continue;
    const path = `${prefix}${name}`;
    const inner = field.type === "object" ? narrowFields(field.fields, coversVersion, `${path}.`) : undefined;
    const isBroken = inner?.isRequiredLost === true || isEmpty(inner?.fields);
    if (!isCovered(field, coversVersion) || isBroken) {
      lost.push(path);
      if (field.required) isRequiredLost = true;
      continue;
    }
    fields[name] = field.type === "object" ? { ...field, fields: inner?.fields ?? {} } : field;
    lost.push(...(inner?.lost ?? []));
  }
  for (const [name, field] of Object.entries(fields)) {
    const keptWith = field.keptWith.filter((beside) => Object.hasOwn(fields, beside));
    if (keptWith.length < field.keptWith.length) fields[name] = { ...field, keptWith };
  }
  return { fields, lost, isRequiredLost };
}

function isEmpty(fields: Fields | undefined): boolean {
  return fields !== undefined && Object.keys(fields).length === 0;
}

/** Whether a version covers a part of the plan. A version that is not a number covers nothing. */
function isCovered({ since }: { readonly since: number }, coversVersion: number): boolean {
  return since <= coversVersion;
}

function sourcesOf(plan: Plan) {
  return Object.entries(plan.sources) as [PlanSourceName, NonNullable<Plan["sources"][PlanSourceName]>][];
}
