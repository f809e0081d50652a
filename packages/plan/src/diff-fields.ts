/** Compares the fields of two plans. */
import { diffTypes } from "./diff-types.ts";
import type { Note, NoteAt } from "./difference.ts";
import { type Field, type FieldAbout, type Fields, SENSITIVITIES } from "./plan.ts";

/**
 * Compares two blocks of fields, including nested fields. `prefix` precedes each field's name in the `where`
 * of its differences.
 */
export function diffFields(
  older: Partial<Fields>,
  newer: Partial<Fields>,
  prefix: string,
  noteAt: NoteAt,
): void {
  const before = new Map(Object.entries(older));
  for (const [name, field] of Object.entries(newer)) {
    if (field === undefined) continue;
    const where = `${prefix}${name}`;
    const was = before.get(name);
    if (was === undefined) noteAt(where)("newly_collected", "The field is new.", { since: field.since });
    else diffField(was, field, where, noteAt);
  }
  for (const name of before.keys()) {
    if (!Object.hasOwn(newer, name)) noteAt(`${prefix}${name}`)("less", "The field is no longer collected.");
  }
}

function diffField(older: Field, newer: Field, where: string, noteAt: NoteAt): void {
  const note = noteAt(where);
  if (older.type === "object" && newer.type === "object") {
    diffFields(older.fields, newer.fields, `${where}.`, noteAt);
  } else {
    diffTypes(older, newer, note);
    diffSensitivity(older, newer, note);
  }
  diffKept(older.keptWith, newer.keptWith, note);
  const changedOf = (keys: readonly (keyof FieldAbout)[]): string =>
    keys
      .filter((key) => JSON.stringify(older[key]) !== JSON.stringify(newer[key]))
      .map((key) => `\`${key}\``)
      .join(", ");
  const rules = changedOf(["since", "required"]);
  if (rules !== "") note("other", `Changed: ${rules}.`, { needsNewVersion: true });
  const others = changedOf(["description", "example", "exception", "column", "fact", "dimension", "measure"]);
  if (others !== "") note("other", `Changed: ${others}.`);
}

function diffSensitivity({ sensitivity: before }: Field, { sensitivity: after }: Field, note: Note): void {
  if (before === after) return;
  const isMore = SENSITIVITIES.indexOf(after) > SENSITIVITIES.indexOf(before);
  const kind = isMore ? "more_sensitive" : "other";
  note(kind, `It is \`${after}\` instead of \`${before}\`.`, { needsNewVersion: true });
}

function diffKept(before: readonly string[], after: readonly string[], note: Note): void {
  const added = after.filter((name) => !before.includes(name));
  const removed = before.filter((name) => !after.includes(name));
  if (added.length > 0) note("more_sensitive", `More is kept beside the contact: ${added.join(", ")}.`);
  if (removed.length > 0) note("less", `Less is kept beside the contact, without ${removed.join(", ")}.`);
}
