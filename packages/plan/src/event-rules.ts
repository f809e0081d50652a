/** Checks the rules for events. field-rules.ts checks their fields. */

import { isRecord } from "@candor/envelope/unknown-value";
import type { Path } from "./document.ts";
import { checkHeartbeat, checkMarkCounts } from "./evaluation-rules.ts";
import type { FieldFile } from "./field-format.ts";
import { checkFields, type PlanScope } from "./field-rules.ts";
import type { EventFile, PlanFile } from "./format.ts";
import { checkPatternSum, listSharedCosts, type PatternCosts, type SharedCosts } from "./pattern-rules.ts";
import { rootOf } from "./plan.ts";
import { applyRules, isDate, newerThanPlan, type Rule } from "./rule.ts";
import { quote } from "./structure.ts";

const EVENT_RULES: readonly Rule<EventFile, PlanScope>[] = [
  {
    key: "name",
    isBroken: ({ type, name }) => type === "track" && name === undefined,
    say: "A track event needs a `name`. Add it.",
  },
  {
    key: "name",
    part: "key",
    isBroken: ({ type, name }) => ["identify", "group", "alias"].includes(type) && name !== undefined,
    say: ({ type }) => `An event of type ${type} has no name. Remove \`name\`.`,
  },
  {
    key: "since",
    isBroken: ({ since }, { version }) => since > version,
    say: (_event, { version }) => newerThanPlan(version),
  },
  {
    key: "expires",
    isBroken: ({ expires }) => expires !== undefined && !isDate(expires),
    say: "There is no such day. Write a real date as YYYY-MM-DD.",
  },
  ...(["routes", "selector"] as const).map(
    (key): Rule<EventFile, PlanScope> => ({
      key,
      part: "key",
      isBroken: (event) => event[key] !== undefined && !event.source.includes("client"),
      say: `Only browsers open pages and click. Add \`client\` to \`source\`, or remove \`${key}\`.`,
    }),
  ),
  {
    key: "routes",
    part: "key",
    isBroken: ({ type, routes }) => routes !== undefined && type !== "track" && type !== "page",
    say: ({ type }) => `An event of type ${type} is not sent when a page opens. Remove \`routes\`.`,
  },
  {
    key: "selector",
    part: "key",
    isBroken: ({ type, selector }) => selector !== undefined && type !== "track",
    say: ({ type }) => `An event of type ${type} is not sent at a click. Remove \`selector\`.`,
  },
  {
    key: "selector",
    part: "key",
    isBroken: ({ routes, selector }) => routes !== undefined && selector !== undefined,
    say: "An event belongs to a page or to a control. Write `routes` or `selector`.",
  },
  ...(["properties", "traits"] as const).map(
    (key): Rule<EventFile, PlanScope> => ({
      key,
      part: "key",
      isBroken: (event) => event[key] !== undefined && rootOf(event.type) !== key,
      say: ({ type }) => `An event of type ${type} has \`${rootOf(type)}\`. Write its fields there.`,
    }),
  ),
];

/** Checks the rules of all events and their fields. Returns whether any event has a contact field. */
export function checkEvents(plan: Partial<PlanFile>, scope: PlanScope): boolean {
  const shared = listSharedCosts(plan.sources, scope.readPattern);
  const seen: Seen = { labels: new Set(), routes: new Set(), hasHeartbeat: false };
  let hasContacts = false;
  for (const [index, event] of Object.values(plan.events ?? []).entries()) {
    if (!isRecord(event)) continue;
    const path = ["events", index];
    if (scope.isSound(path)) checkEvent(event, path, plan.sources, seen, scope);
    const since = typeof event.since === "number" ? event.since : 1;
    for (const root of ["properties", "traits"] as const) {
      const block: unknown = event[root];
      if (!isRecord(block)) continue;
      const at = [...path, root];
      checkFields(block, { ...scope, path: at, names: [root], place: "event", since, depth: 1 });
      checkMarkCounts(soundFields(block, at, scope), at, scope.report);
      checkPatternSum({ block, path: at }, sharedWith(event, shared), scope.readPattern, scope.report);
      if (checkContacts(block, at, scope)) hasContacts = true;
    }
  }
  return hasContacts;
}

/** For each source of the event, the costs of the patterns that all of the source's messages share. */
function sharedWith(event: { readonly source?: unknown }, shared: SharedCosts): readonly PatternCosts[] {
  const sources: unknown = event.source;
  if (!Array.isArray(sources)) return [];
  return [...shared].filter(([name]) => sources.includes(name)).map(([, costs]) => costs);
}

/** Returns the fields of a block that have the types that the format requires. */
function soundFields(
  block: Readonly<Record<string, unknown>>,
  path: Path,
  { isSound }: PlanScope,
): Record<string, FieldFile> {
  const sound = Object.entries(block).filter(([name]) => isSound([...path, name]));
  return Object.fromEntries(sound) as Record<string, FieldFile>;
}

/** What the preceding events have declared. */
interface Seen {
  readonly labels: Set<string>;
  readonly routes: Set<string>;
  hasHeartbeat: boolean;
}

function checkEvent(
  event: EventFile,
  path: Path,
  sources: Partial<PlanFile>["sources"],
  seen: Seen,
  scope: PlanScope,
): void {
  const declared = isRecord(sources) ? Object.keys(sources) : [];
  applyRules(EVENT_RULES, event, scope, path, scope.report);
  checkHeartbeat(event, path, seen.hasHeartbeat, { ...scope, sources });
  seen.hasHeartbeat ||= event.heartbeat === true;
  const label = JSON.stringify([event.type, event.name]);
  if (seen.labels.has(label)) {
    scope.report(
      [...path, "type"],
      "An event with this type and name is declared above. Join the two: `source` takes a list.",
    );
  }
  seen.labels.add(label);
  for (const [index, route] of (event.routes ?? []).entries()) {
    if (seen.routes.has(route))
      scope.report([...path, "routes", index], "This route is declared above. A page belongs to one event.");
    seen.routes.add(route);
  }
  for (const [index, source] of event.source.entries()) {
    const at = [...path, "source", index];
    if (event.source.indexOf(source) < index) {
      scope.report(at, "Duplicate source. Remove one of the two.");
    } else if (declared.length > 0 && !declared.includes(source)) {
      scope.report(
        at,
        `This source is not declared. Declare it under \`sources\`, or write one of ${quote(declared)}.`,
      );
    }
  }
}

/** Checks what contact fields require of their event. Returns whether the event has contact fields. */
function checkContacts(block: { readonly [name: string]: unknown }, path: Path, scope: PlanScope): boolean {
  const contacts = Object.entries(block).filter(
    ([, field]) => isRecord(field) && field.sensitivity === "contact",
  );
  for (const [index, [name]] of contacts.entries()) {
    const at = [...path, name];
    if (index > 0) {
      scope.report(
        [...at, "sensitivity"],
        "An event has at most one contact field. Declare it in an event of its own.",
      );
    }
    if (scope.isSound(at)) checkKeptWith(block[name] as FieldFile, block, at, scope);
  }
  return contacts.length > 0;
}

function checkKeptWith(
  contact: FieldFile,
  block: { readonly [name: string]: unknown },
  path: Path,
  scope: PlanScope,
) {
  for (const [index, name] of (contact.kept_with ?? []).entries()) {
    const at = [...path, "kept_with", index];
    const field = Object.hasOwn(block, name) ? block[name] : undefined;
    if (!isRecord(field)) {
      const others = Object.keys(block).filter((other) => block[other] !== contact);
      scope.report(at, `This event has no such field. Write one of ${quote(others)}, or remove it.`);
    } else if (field.enum === undefined && field.pattern === undefined) {
      scope.report(
        at,
        "Only a field of fixed values is kept beside a contact. Give that field an `enum` or a `pattern`.",
      );
    }
  }
}
