/** Finds an event and its properties in the plan, and the SQL that reads them from `events`. */
import {
  type Fields,
  factsOf,
  heartbeatOf,
  labelOf,
  type Plan,
  type PlanEvent,
  rootOf,
  usageEventsOf,
} from "@candor/plan";
import { invalidQuery } from "../errors.ts";
import type { QueryParams } from "../store/client.ts";
import { planColumns } from "../store/plan-columns.ts";
import { quoteName, quoteText } from "../store/sql-text.ts";
import { UNKNOWN, WHERE } from "./period.ts";

/** A declared property of an event. */
export interface Property {
  readonly type: "string" | "integer" | "number" | "boolean" | "array";
  /** SQL for the value as text, '' if it is absent; for a list, an array of texts. */
  readonly text: string;
  /** SQL for the value as Nullable(Float64); undefined for a property that is not a number. */
  readonly number: string | undefined;
}

/** Properties by name: `pluginName`, `datasource.name`, `context.locale`. */
export type Properties = ReadonlyMap<string, Property>;

/**
 * Returns the event that a parameter names: `execute_ACTION_TRIGGERED` or `track execute_ACTION_TRIGGERED`.
 * @throws CandorError `query_invalid`, with the events that there are, if `text` names none of an instance
 */
export function findEvent(plan: Plan, parameter: string, text: string | null): PlanEvent {
  const heartbeat = heartbeatOf(plan);
  const events = [...(heartbeat === undefined ? [] : [heartbeat]), ...usageEventsOf(plan)];
  const named = events.filter((event) => text === (event.name ?? event.type));
  const found =
    events.find((event) => text === labelOf(event)) ?? (named.length === 1 ? named[0] : undefined);
  if (found !== undefined) return found;
  if (named.length > 1) throw invalidQuery(`${parameter} is one of ${named.map(labelOf).join(", ")}.`);
  if (events.length === 0) throw invalidQuery("The plan declares no events of instances.");
  throw invalidQuery(
    `${parameter} is one of ${events.map((event) => event.name ?? event.type).join(", ")}. Those of the installer alone belong to no instance: ask the report installs.`,
  );
}

/** Returns what the plan declares of an event, without contacts, which are in no event. */
export function propertiesOf(plan: Plan, event: PlanEvent): Properties {
  const properties = new Map<string, Property>();
  const columns = new Map(planColumns(plan).map((column) => [JSON.stringify(column.path), column]));
  const add = (prefix: string, root: readonly string[], fields: Fields): void => {
    for (const [name, field] of Object.entries(fields)) {
      const path = [...root, name];
      if (field.type === "object") add(`${prefix}${name}.`, path, field.fields);
      else if (field.sensitivity !== "contact") {
        const column = columns.get(JSON.stringify(path));
        properties.set(prefix + name, { type: field.type, ...toSql(field.type, path, column) });
      }
    }
  };
  for (const source of event.sources) add("context.", ["context"], plan.sources[source]?.context ?? {});
  add("", [rootOf(event.type)], event.fields);
  return properties;
}

/** Reads the plan's column if there is one, because parsing envelopes takes much longer. */
function toSql(
  type: Property["type"],
  path: readonly string[],
  column: { readonly name: string; readonly type: string } | undefined,
): Pick<Property, "text" | "number"> {
  const place = `envelope, ${path.map(quoteText).join(", ")}`;
  const isNumber = type === "integer" || type === "number";
  if (type === "array") return { text: `JSONExtract(${place}, 'Array(String)')`, number: undefined };
  // Another event may declare a list at the same path.
  if (column === undefined || column.type.startsWith("Array"))
    return {
      text: `JSONExtract(${place}, 'String')`,
      number: isNumber ? `JSONExtract(${place}, 'Nullable(Float64)')` : undefined,
    };
  const name = quoteName(column.name);
  // A column is text if another event declares a text at the same path.
  const number = column.type.startsWith("Nullable") ? `toFloat64(${name})` : `toFloat64OrNull(${name})`;
  return { text: `ifNull(toString(${name}), '')`, number: isNumber ? number : undefined };
}

/**
 * Returns the property that a parameter names.
 * @throws CandorError `query_invalid`, with the properties that there are
 */
export function findProperty(properties: Properties, parameter: string, name: string): Property {
  const found = properties.get(name.replace(/^(?:properties|traits)\./, ""));
  if (found !== undefined) return found;
  throw invalidQuery(
    properties.size === 0
      ? `The plan declares no properties of this event, so ${parameter} cannot be given.`
      : `${parameter} is a property of the event: ${[...properties.keys()].join(", ")}.`,
  );
}

/**
 * The minutes by which a zone's clock is ahead of UTC. ClickHouse's own offset is a day off in Kiritimati and
 * Apia.
 */
const OFFSET =
  "dateDiff('minute', timestamp, toDateTime(formatDateTime(timestamp, '%F %H:%i:00', {zone:String}), 'UTC'))";
const TWO_DIGITS = (number: string): string => `leftPad(toString(${number}), 2, '0')`;

/** SQL for what groups events besides their properties. A week is named by its Monday. */
const SPANS: Readonly<Record<string, string>> = {
  day: "toString(toDate(timestamp, {zone:String}))",
  week: "toString(toMonday(toDate(timestamp, {zone:String})))",
  // With the offset, because an hour comes twice when clocks are set back.
  hour: `concat(
    formatDateTime(timestamp, '%FT%H:00', {zone:String}),
    if(${OFFSET} < 0, '-', '+'),
    ${TWO_DIGITS(`intDiv(abs(${OFFSET}), 60)`)}, ':', ${TWO_DIGITS(`abs(${OFFSET}) % 60`)})`,
};

export function isSpan(name: string | undefined): boolean {
  return name !== undefined && Object.hasOwn(SPANS, name);
}

/**
 * Returns SQL for the text by which events are grouped: a property, `day`, `week`, `hour`, or what the
 * instance was in the period: `country`, `facts.NAME`.
 * @throws CandorError `query_invalid`
 */
export function groupOf(plan: Plan, properties: Properties, name: string): string {
  const facts = factsOf(plan).map((fact) => `facts.${fact}`);
  const span = isSpan(name) ? SPANS[name] : undefined;
  if (span !== undefined) return span;
  if (name === "country") return orUnknown("countedCountry");
  if (facts.includes(name))
    return orUnknown(`JSONExtractString(countedFacts, ${quoteText(name.slice("facts.".length))})`);
  const single = new Map([...properties].filter(([, { type }]) => type !== "array"));
  const found = single.get(name.replace(/^(?:properties|traits)\./, ""));
  if (found !== undefined) return orUnknown(found.text);
  const known = [...single.keys(), ...Object.keys(SPANS), "country", ...facts];
  throw invalidQuery(`by is one of ${known.join(", ")}.`);
}

/** SQL for a text as it is answered. */
export function orUnknown(text: string): string {
  return `if(${text} = '', ${quoteText(UNKNOWN)}, ${text})`;
}

/** A condition on events. */
export interface Where {
  /** `true` without filters. */
  readonly sql: string;
  /** The values of its placeholders. */
  readonly params: QueryParams;
}

/**
 * Reads the filters `where.PROPERTY=VALUE`. Values of one property are joined by or. A list matches if one of
 * its elements does.
 * @throws CandorError `query_invalid`
 */
export function readWhere(parameters: URLSearchParams, properties: Properties): Where {
  const names = [...new Set(parameters.keys())].filter((name) => name.startsWith("where."));
  const conditions: string[] = ["true"];
  const params: Record<string, readonly string[]> = {};
  for (const [index, parameter] of names.entries()) {
    const name = parameter.slice("where.".length);
    const property = findProperty(properties, WHERE, name);
    const slot = `{where${index}:Array(String)}`;
    const { text } = property;
    conditions.push(
      property.type === "array"
        ? `(hasAny(${text}, ${slot}) OR (empty(${text}) AND has(${slot}, '')))`
        : `${text} IN ${slot}`,
    );
    params[`where${index}`] = parameters.getAll(parameter).map((value) => toStored(property, name, value));
  }
  return { sql: conditions.join(" AND "), params };
}

/** Returns a filter's value as the store spells it. */
function toStored({ type }: Property, name: string, value: string): string {
  if (value === UNKNOWN) return "";
  if (type === "boolean" && value !== "true" && value !== "false")
    throw invalidQuery(`where.${name} is true, false or unknown.`);
  if (type !== "integer" && type !== "number") return value;
  if (value.trim() === "" || !Number.isFinite(Number(value)))
    throw invalidQuery(`where.${name} is a number, or unknown.`);
  return String(Number(value));
}
