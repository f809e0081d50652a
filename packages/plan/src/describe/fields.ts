/** Turns declared fields into tables and badges for the public page, and finds contact fields. */
import type { Field, Fields, PlanEvent, Sensitivity } from "../plan.ts";
import { SENSITIVITIES } from "../plan.ts";
import { type Badge, type Line, type Table, toLine } from "./page.ts";
import { typeInWords } from "./words.ts";

/** A declared field and its dotted path, such as `datasource.name`. */
interface Declared {
  readonly path: string;
  readonly field: Field;
}

function listFields(fields: Fields, parent = ""): readonly Declared[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const path = parent + name;
    return [{ path, field }, ...(field.type === "object" ? listFields(field.fields, `${path}.`) : [])];
  });
}

/** The table of declared fields; undefined if there are none. */
export function tabulateFields(caption: string, fields: Fields): Table | undefined {
  const rows = listFields(fields).map(({ path, field }) => [
    nameOf(path, field),
    typeInWords(field),
    field.type === "object" ? [] : [{ badge: badgeOf(field.sensitivity) }],
    describeField(field),
    [String(field.since)],
  ]);
  if (rows.length === 0) return undefined;
  return {
    kind: "table",
    of: "fields",
    caption,
    head: ["Field", "Value", "Sensitivity", "Meaning", "Since"],
    rows,
  };
}

function nameOf(path: string, field: Field): Line {
  return field.required
    ? [{ code: path }, " ", { badge: { text: "required", tone: "plain" } }]
    : [{ code: path }];
}

function describeField(field: Field): Line {
  const exception =
    field.exception === undefined ? [] : [" Collected as an exception: ", ...toLine(field.exception)];
  return [...toLine(field.description), ...exception];
}

/** The sensitivities of an event's fields, from least to most sensitive. */
export function badgesOf(event: PlanEvent): readonly Badge[] {
  const found = new Set(
    listFields(event.fields).flatMap(({ field }) => (field.type === "object" ? [] : [field.sensitivity])),
  );
  return SENSITIVITIES.filter((sensitivity) => found.has(sensitivity)).map(badgeOf);
}

function badgeOf(sensitivity: Sensitivity): Badge {
  return { text: sensitivity, tone: sensitivity };
}

export function listContacts(event: PlanEvent): readonly Declared[] {
  return listFields(event.fields).filter(
    ({ field }) => field.type !== "object" && field.sensitivity === "contact",
  );
}
