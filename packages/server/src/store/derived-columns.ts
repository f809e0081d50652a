/**
 * Owns the columns of `events` that reports need: an event's instance, facts, dimensions, outcome and duration,
 * the install that a heartbeat names, and where and in which browser a client's event happened.
 */
import {
  type Fields,
  heartbeatOf,
  installLinkOf,
  PLAN_SOURCES,
  type Plan,
  type PlanEvent,
} from "@candor/plan";
import { instanceIdOf } from "./instance-rows.ts";
import { quoteName, quoteText } from "./sql-text.ts";

/** A column of `events` that the store computes from the others. */
export interface DerivedColumn {
  readonly name: string;
  readonly type: string;
  /** The SQL expression, which uses no other derived column. */
  readonly expression: string;
}

/**
 * Returns the columns that reports need under this plan. Facts and dimensions are JSON texts, so that the
 * tables do not change if a plan declares another one. An absent fact or dimension has the value "".
 */
export function derivedColumns(plan: Plan): DerivedColumn[] {
  const instance = instanceOf(plan);
  const extract = extractOf(plan);
  return [
    { name: "instance", type: "String", expression: instance },
    { name: "iid", type: "UInt64", expression: `if((${instance}) = '', 0, sipHash64(${instance}))` },
    {
      name: "facts",
      type: "LowCardinality(String)",
      expression: toJson(
        extract,
        namesOf(plan, (field) => field.fact),
      ),
    },
    { name: "dimensions", type: "LowCardinality(String)", expression: dimensionsOf(plan, extract) },
    { name: "outcome", type: "Nullable(Bool)", expression: outcomeOf(plan, extract) },
    { name: "durationMs", type: "Nullable(Float64)", expression: durationOf(plan, extract) },
    { name: "installId", type: "String", expression: installOf(plan, extract) },
    ...Object.entries(CLIENT_CONTEXT).map(([name, path]) => ({
      name,
      type: "LowCardinality(String)",
      expression: `if(source = 'client', ${elementAt(path)}, '')`,
    })),
  ];
}

/** The columns of the client's events, each with its path in `context`. */
const CLIENT_CONTEXT = { route: ["page", "path"], locale: ["locale"], userAgent: ["userAgent"] } as const;
/** One expression for all three, so that the store parses an envelope once for them. */
const EXTRACT_CONTEXT =
  "JSONExtract(envelope, 'context', 'Tuple(locale String, page Tuple(path String), userAgent String)')";

function elementAt(path: readonly string[]): string {
  return path.reduce((whole, name) => `tupleElement(${whole}, ${quoteText(name)})`, EXTRACT_CONTEXT);
}

type Mark = Pick<Fields[string], "fact" | "dimension" | "measure">;

/** Returns the sorted names of the fields that are marked in any event. */
function namesOf({ events }: Plan, isMarked: (field: Mark) => boolean): string[] {
  return [...new Set(events.flatMap((event) => marked(event, isMarked)))].sort();
}

function marked({ fields }: PlanEvent, isMarked: (field: Mark) => boolean): string[] {
  return Object.entries(fields)
    .filter(([, field]) => isMarked(field))
    .map(([name]) => name);
}

function instanceOf(plan: Plan): string {
  const cases = PLAN_SOURCES.filter((source) => plan.sources[source] !== undefined).map(
    (source) => `source = ${quoteText(source)}, ${instanceIdOf(plan, source)}`,
  );
  return cases.length === 0 ? "''" : `multiIf(${cases.join(", ")}, '')`;
}

/**
 * Returns the expression that reads all marked fields of an envelope. Every column for marked fields uses the
 * same text, so the store parses an envelope once for all of them. Numbers and booleans are read as JSON
 * text.
 */
function extractOf(plan: Plan): string {
  const link = installLinkOf(plan);
  const markedNames = namesOf(
    plan,
    ({ fact, dimension, measure }) => fact || dimension || measure !== undefined,
  );
  const names = [...new Set([...markedNames, ...(link === undefined ? [] : [link])])];
  const elements = names.map((name) => `${quoteName(name)} String`).join(", ");
  return names.length === 0 ? "" : `JSONExtract(envelope, 'properties', ${quoteText(`Tuple(${elements})`)})`;
}

function toJson(extract: string, names: readonly string[]): string {
  if (names.length === 0) return "''";
  const values = names.map((name) => `tupleElement(${extract}, ${quoteText(name)})`);
  const type = `Tuple(${names.map((name) => `${quoteName(name)} String`).join(", ")})`;
  return `toJSONString(CAST(tuple(${values.join(", ")}), ${quoteText(type)}))`;
}

/**
 * Selects the names by event, because two events may have a field of the same name that only one of them
 * marks.
 */
function dimensionsOf(plan: Plan, extract: string): string {
  return byEvent(plan, "''", (event) => {
    const names = marked(event, ({ dimension }) => dimension).sort();
    return names.length === 0 ? undefined : toJson(extract, names);
  });
}

function outcomeOf(plan: Plan, extract: string): string {
  return byEvent(plan, "CAST(NULL, 'Nullable(Bool)')", (event) => {
    const [name] = marked(event, ({ measure }) => measure === "success");
    if (name === undefined) return undefined;
    const value = `tupleElement(${extract}, ${quoteText(name)})`;
    return `CAST(multiIf(${value} = 'true', true, ${value} = 'false', false, NULL), 'Nullable(Bool)')`;
  });
}

function durationOf(plan: Plan, extract: string): string {
  return byEvent(plan, "CAST(NULL, 'Nullable(Float64)')", (event) => {
    const [name] = marked(event, ({ measure }) => measure === "duration");
    return name === undefined ? undefined : `toFloat64OrNull(tupleElement(${extract}, ${quoteText(name)}))`;
  });
}

/** Returns the expression for the id of the install that a heartbeat names. */
function installOf(plan: Plan, extract: string): string {
  const link = installLinkOf(plan);
  if (link === undefined) return "''";
  const value = `tupleElement(${extract}, ${quoteText(link)})`;
  return byEvent(plan, "''", (event) => (event === heartbeatOf(plan) ? value : undefined));
}

function byEvent(
  plan: Plan,
  otherwise: string,
  expressionOf: (event: PlanEvent) => string | undefined,
): string {
  const cases = plan.events.flatMap((event) => {
    const value = expressionOf(event);
    return value === undefined ? [] : [`${isEvent(event)}, ${value}`];
  });
  return cases.length === 0 ? otherwise : `multiIf(${cases.join(", ")}, ${otherwise})`;
}

/** Returns the SQL condition that selects an event's rows. */
export function isEvent({ type, name, sources }: PlanEvent): string {
  const ofSource = `source IN (${sources.map(quoteText).join(", ")})`;
  const ofName = name === undefined ? "" : ` AND event = ${quoteText(name)}`;
  return `(${ofSource} AND type = ${quoteText(type)}${ofName})`;
}
