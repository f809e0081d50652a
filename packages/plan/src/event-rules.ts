/** Checks the rules of a plan's events. */
import type { Path } from "./document.ts";
import type { FieldFile } from "./field-format.ts";
import { checkFields } from "./field-rules.ts";
import type { EventFile, PlanFile } from "./format.ts";
import { checkPatternSum, listSharedCosts, type PatternCosts, type SharedCosts } from "./pattern-rules.ts";
import { rootOf } from "./plan.ts";
import { isDate, newerThanPlan, type PlanScope } from "./scope.ts";
import { isRecord, quote } from "./structure.ts";

/** Checks the rules of all events and their fields. Returns whether a field is `contact`. */
export function checkEvents(plan: Partial<PlanFile>, scope: PlanScope): boolean {
  const declared = isRecord(plan.sources) ? Object.keys(plan.sources) : [];
  const shared = listSharedCosts(plan.sources);
  const seen = new Set<string>();
  let hasContacts = false;
  for (const [index, event] of Object.values(plan.events ?? []).entries()) {
    if (!isRecord(event)) continue;
    const path = ["events", index];
    if (scope.isSound(path)) checkEvent(event, path, declared, seen, scope);
    const since = typeof event.since === "number" ? event.since : 1;
    for (const root of ["properties", "traits"] as const) {
      const block: unknown = event[root];
      if (!isRecord(block)) continue;
      const own = {
        ...scope,
        path: [...path, root],
        names: [root],
        place: "event",
        since,
        depth: 1,
      } as const;
      checkFields(block, own);
      checkPatternSum({ block, path: own.path }, sharedWith(event, shared), scope.report);
      if (checkContacts(block, own.path, scope)) hasContacts = true;
    }
  }
  return hasContacts;
}

/** What the messages of an event have in common, for each of its sources. */
function sharedWith(event: { readonly source?: unknown }, shared: SharedCosts): readonly PatternCosts[] {
  const sources: unknown = event.source;
  if (!Array.isArray(sources)) return [];
  return [...shared].filter(([name]) => sources.includes(name)).map(([, costs]) => costs);
}

function checkEvent(
  event: EventFile,
  path: Path,
  declared: readonly string[],
  seen: Set<string>,
  scope: PlanScope,
): void {
  const { report, version } = scope;
  const { type, name } = event;
  const isNameless = type === "identify" || type === "group" || type === "alias";
  if (type === "track" && name === undefined)
    report([...path, "name"], "A track event needs a `name`. Add it.");
  if (isNameless && name !== undefined)
    report([...path, "name"], `An event of type ${type} has no name. Remove \`name\`.`, "key");
  const key = JSON.stringify([type, name]);
  if (seen.has(key)) {
    report(
      [...path, "type"],
      "An event of this type and name stands above already. Join the two: `source` takes a list.",
    );
  }
  seen.add(key);

  for (const [index, source] of event.source.entries()) {
    const at = [...path, "source", index];
    if (event.source.indexOf(source) < index) report(at, "This source stands twice. Remove one of the two.");
    else if (declared.length > 0 && !declared.includes(source)) {
      report(
        at,
        `This source is not declared. Declare it under \`sources\`, or write one of ${quote(declared)}.`,
      );
    }
  }
  if (event.since > version) report([...path, "since"], newerThanPlan(version));
  if (event.expires !== undefined && !isDate(event.expires)) {
    report([...path, "expires"], "There is no such day. Write a real date as YYYY-MM-DD.");
  }
  const root = rootOf(type);
  const wrong = root === "traits" ? "properties" : "traits";
  if (event[wrong] !== undefined) {
    report([...path, wrong], `An event of type ${type} has \`${root}\`. Write its fields there.`, "key");
  }
}

/** Checks what contact fields require of their event. Returns whether there are any. */
function checkContacts(block: { readonly [name: string]: unknown }, path: Path, scope: PlanScope): boolean {
  const isContact = ([, field]: [string, unknown]) => isRecord(field) && field.sensitivity === "contact";
  const contacts = Object.entries(block).filter(isContact);
  for (const [index, [name]] of contacts.entries()) {
    const at = [...path, name];
    if (index > 0)
      scope.report(
        [...at, "sensitivity"],
        "An event has one contact field at most. Write it in an event of its own.",
      );
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
