/** Converts a checked plan file to a plan. */
import type { FieldFile, ItemFile } from "./field-format.ts";
import type { EventFile, PlanFile, SourceFile } from "./format.ts";
import {
  type ArrayType,
  DEFAULT_MAX_ITEMS,
  DEFAULT_MAX_LENGTH,
  DEFAULT_MAX_PER_MINUTE,
  type Field,
  type Fields,
  type FieldType,
  type IdName,
  type InstanceIdPath,
  type Plan,
  type PlanEvent,
  type PlanSource,
  type PlanSourceName,
  type PlanSwitches,
  usualInstanceIds,
} from "./plan.ts";

type FieldsFile = { readonly [name: string]: FieldFile };

/** Converts a file that has been checked, and fills in every default. */
export function toPlan(file: PlanFile): Plan {
  const { installer, server, client } = file.sources;
  return {
    product: file.product,
    contact: file.contact,
    version: file.version,
    about: file.about,
    promises: [...file.promises],
    turnOff: [...file.turn_off],
    switches: { disable: toNames(file.switches.disable), optIn: file.switches.opt_in },
    contacts: { retentionDays: file.contacts?.retention_days ?? 90 },
    changelog: file.changelog.map(({ version, date, text }) => ({ version, date, text })),
    sources: {
      ...(installer && { installer: toSource(installer, "installer") }),
      ...(server && { server: toSource(server, "server") }),
      ...(client && { client: toSource(client, "client") }),
    },
    events: file.events.map(toEvent),
  };
}

function toNames(given: PlanFile["switches"]["disable"]): PlanSwitches["disable"] {
  return typeof given === "string" ? [given] : [...given];
}

function toSource(file: SourceFile, name: PlanSourceName): PlanSource {
  const ids = toFields(file.ids ?? {}, 1) as Partial<Record<IdName, Field>>;
  return {
    description: file.description,
    consent: file.consent,
    mode: file.mode ?? "enforce",
    ip: file.ip ?? "truncate",
    userAgent: file.user_agent ?? "family",
    retentionDays: file.retention_days,
    instanceIds: toInstanceIds(file.instance_id, name),
    context: toFields(file.context ?? {}, 1),
    ids,
  };
}

function toInstanceIds(given: string | undefined, name: PlanSourceName): readonly InstanceIdPath[] {
  if (given === "anonymousId") return [given];
  if (given !== undefined) return [`properties.${given.slice("properties.".length)}`];
  return usualInstanceIds(name);
}

function toEvent(file: EventFile): PlanEvent {
  return {
    type: file.type,
    name: file.name,
    sources: [...file.source],
    since: file.since,
    why: file.why,
    owner: file.owner,
    review: file.review,
    expires: file.expires,
    consent: file.consent,
    maxPerMinute: file.max_per_minute ?? DEFAULT_MAX_PER_MINUTE,
    routes: [...(file.routes ?? [])],
    selector: file.selector,
    heartbeat: file.heartbeat ?? false,
    fields: toFields(file.properties ?? file.traits ?? {}, file.since),
  };
}

/** Converts a block of fields. `since` is the default for fields that have none. */
function toFields(file: FieldsFile, since: number): Fields {
  return Object.fromEntries(Object.entries(file).map(([name, field]) => [name, toField(field, since)]));
}

/** Converts a field. An object gets the lowest sensitivity, because its fields have their own. */
function toField(file: FieldFile, outerSince: number): Field {
  const since = file.since ?? outerSince;
  return {
    sensitivity: file.sensitivity ?? "technical",
    description: file.description,
    example: Array.isArray(file.example) ? [...file.example] : file.example,
    since,
    required: file.required ?? false,
    exception: file.exception,
    column: file.column ?? false,
    fact: file.fact ?? false,
    dimension: file.dimension ?? false,
    measure: file.measure,
    keptWith: [...(file.kept_with ?? [])],
    ...toType(file, since),
  };
}

/**
 * Converts the type of a field or of an array's items. The fields of an object inherit `since` unless they
 * have their own.
 */
export function toType(file: FieldFile | ItemFile, since = 1): FieldType {
  if (!("description" in file)) return toItemType(file);
  if (file.type === "object") return { type: "object", fields: toFields(file.fields ?? {}, since) };
  if (file.type !== "array") return toItemType({ ...file, type: file.type });
  return {
    type: "array",
    items: toItemType(file.items ?? { type: "string" }),
    maxItems: file.max_items ?? DEFAULT_MAX_ITEMS,
  };
}

function toItemType(file: ItemFile): ArrayType["items"] {
  if (file.type === "boolean") return { type: "boolean" };
  if (file.type !== "string") {
    const { type, minimum, maximum } = file;
    return { type, minimum, maximum, buckets: file.buckets && [...file.buckets] };
  }
  return {
    type: "string",
    format: file.format ?? "text",
    maxLength: file.max_length ?? DEFAULT_MAX_LENGTH,
    enum: file.enum && [...file.enum],
    pattern: file.pattern,
    form: file.form,
    hash: file.hash ?? false,
  };
}
