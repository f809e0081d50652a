/**
 * Builds the SQL that selects an instance's rows by the fields that the plan's `instance_id` names.
 * `isOfInstance` in the plan's runtime does the same for messages.
 */
import { type InstanceIdPath, PLAN_SOURCES, type Plan, type PlanSourceName } from "@candor/plan";
import { quoteText } from "./sql-text.ts";

/**
 * Returns the condition that selects an instance's rows.
 * @param ids the operand of IN: a subquery, or a bound value in parentheses
 */
export function isOfInstance(plan: Plan, ids: string): string {
  const sourcesOf = new Map<InstanceIdPath, PlanSourceName[]>();
  for (const source of PLAN_SOURCES) {
    for (const path of plan.sources[source]?.instanceIds ?? [])
      sourcesOf.set(path, [...(sourcesOf.get(path) ?? []), source]);
  }
  const places = [...sourcesOf].map(
    ([path, sources]) => `(source IN (${sources.map(quoteText).join(", ")}) AND ${valueAt(path)} IN ${ids})`,
  );
  return places.length === 0 ? "false" : `(${places.join(" OR ")})`;
}

/**
 * Returns the SQL expression for the instance id in a source's row: the first of its fields for the id that
 * is not empty, or '' if all are empty.
 */
export function instanceIdOf(plan: Plan, source: PlanSourceName): string {
  const [first, ...others] = (plan.sources[source]?.instanceIds ?? []).map(valueAt);
  return others.reduce((before, value) => `if(${before} != '', ${before}, ${value})`, first ?? "''");
}

function valueAt(path: InstanceIdPath): string {
  if (path === "anonymousId") return "anonymousId";
  const name = quoteText(path.slice("properties.".length));
  return `if(type IN ('identify', 'group'), JSONExtractString(envelope, 'traits', ${name}), JSONExtractString(envelope, 'properties', ${name}))`;
}
