/** Checks the rules of a plan's fields. */
import type { Path } from "./document.ts";
import { checkExample } from "./example-rules.ts";
import type { FieldFile } from "./field-format.ts";
import { checkLimits } from "./limit-rules.ts";
import { type FieldScope, newerThanPlan } from "./scope.ts";
import { isRecord } from "./structure.ts";

const MAX_DEPTH = 8;

/** Checks the rules of a block of fields, and of the fields within. */
export function checkFields(block: unknown, scope: FieldScope): void {
  if (!isRecord(block)) return;
  for (const [name, field] of Object.entries(block)) {
    const path = [...scope.path, name];
    if (scope.isSound(path)) checkField(field as FieldFile, path, name, scope);
    if (!isRecord(field) || !isRecord(field.fields)) continue;
    if (scope.depth > MAX_DEPTH) {
      scope.report(path, `Objects nest at most ${MAX_DEPTH} deep. Move these fields up.`, "key");
      continue;
    }
    const since = typeof field.since === "number" ? field.since : scope.since;
    const within = {
      path: [...path, "fields"],
      names: [...scope.names, name],
      since,
      depth: scope.depth + 1,
    };
    checkFields(field.fields, { ...scope, ...within });
  }
}

function checkField(field: FieldFile, path: Path, name: string, scope: FieldScope): void {
  checkSince(field, path, scope);
  checkSensitivity(field, path, scope);
  checkColumn(field, path, name, scope);
  if (field.required === true) checkRequired(field, path, scope);
  if (scope.place === "ids") checkId(field, path, scope);
  if (checkLimits(field, path, scope.report)) checkExample(field, path, scope.report);
}

function checkRequired(field: FieldFile, path: Path, scope: FieldScope): void {
  const at = [...path, "required"];
  if (scope.place !== "event") {
    scope.report(at, "Only fields of an event can be required. Remove it.", "key");
  } else if (field.format === "ip" || field.format === "user_agent") {
    scope.report(
      at,
      "The source's policy may take this value away, so it cannot be required. Remove it.",
      "key",
    );
  }
}

/** An id of the declared form is kept unchanged, so the form must leave no room for an address or a name. */
function checkId(field: FieldFile, path: Path, scope: FieldScope): void {
  const { type, format = "text" } = field;
  if (type !== "string") scope.report([...path, "type"], "An id is text. Write `string`.");
  else if (format !== "text" && format !== "ip") {
    scope.report([...path, "format"], "An id is `text` or `ip`. Write one of the two.");
  } else if (
    format === "text" &&
    field.pattern === undefined &&
    field.enum === undefined &&
    field.hash !== true
  ) {
    scope.report(
      [...path, "pattern"],
      "Any text would be taken for this id. Add a `pattern`, or `hash: true`.",
    );
  }
}

function checkSince({ since }: FieldFile, path: Path, scope: FieldScope): void {
  if (since === undefined) return;
  const at = [...path, "since"];
  if (since > scope.version) {
    scope.report(at, newerThanPlan(scope.version));
  } else if (since < scope.since) {
    scope.report(at, `This is older than what it stands in. Write ${scope.since} or more, or remove it.`);
  }
}

function checkSensitivity(field: FieldFile, path: Path, scope: FieldScope): void {
  const { report } = scope;
  const { type, sensitivity, exception } = field;
  if (type === "object") {
    if (sensitivity !== undefined) {
      report(
        [...path, "sensitivity"],
        "An object has no sensitivity: each of its fields has one. Remove it.",
        "key",
      );
    }
  } else if (sensitivity === undefined) {
    report(
      [...path, "sensitivity"],
      "The key is missing; add it: `technical`, `interaction`, `content` or `contact`.",
    );
  }
  if (sensitivity === "content" && exception === undefined) {
    report(
      [...path, "exception"],
      "What people typed is collected only for a reason. Add `exception:` with a sentence that says it.",
    );
  }
  if (sensitivity !== "content" && exception !== undefined) {
    report(
      [...path, "exception"],
      "Only `sensitivity: content` has an exception. Remove it, or write that sensitivity.",
      "key",
    );
  }
  if (sensitivity === "contact") checkContact(field, path, scope);
  else checkNoContact(field, path, scope);
}

function checkContact(field: FieldFile, path: Path, scope: FieldScope): void {
  const { report } = scope;
  if (scope.place !== "event" || scope.depth > 1) {
    report(
      [...path, "sensitivity"],
      "A contact stands only in an event's own `properties` or `traits`. Move it there.",
    );
  }
  if (field.type !== "string") report([...path, "type"], "A contact is text. Write `string`.");
  if (field.format !== undefined && field.format !== "email" && field.format !== "text") {
    report([...path, "format"], "A contact is `email` or `text`. Write one of the two.");
  }
  if (field.required === true) {
    report(
      [...path, "required"],
      "A contact is never required: a person may leave it out. Remove it.",
      "key",
    );
  }
  if (field.column === true) {
    report([...path, "column"], "A contact is held apart and never gets a column. Remove it.", "key");
  }
  if (field.hash === true) {
    report(
      [...path, "hash"],
      "A contact is for answering, so it cannot be hashed. Remove `hash`, or write another sensitivity.",
      "key",
    );
  }
}

function checkNoContact(field: FieldFile, path: Path, scope: FieldScope): void {
  if (field.kept_with !== undefined) {
    scope.report(
      [...path, "kept_with"],
      "Only a field with `sensitivity: contact` has this. Remove it.",
      "key",
    );
  }
  for (const [at, format] of [
    [path, field.format],
    [[...path, "items"], field.items?.format],
  ] as const) {
    if (format !== "email") continue;
    scope.report(
      [...at, "format"],
      "Only a field with `sensitivity: contact` holds an address. Write another format, or that sensitivity.",
    );
  }
}

function checkColumn(field: FieldFile, path: Path, name: string, scope: FieldScope): void {
  if (field.column !== true) return;
  const at = [...path, "column"];
  if (scope.place === "ids") {
    scope.report(at, "Ids have their columns already. Remove it.", "key");
    return;
  }
  if (field.type === "object") {
    scope.report(at, "An object cannot be a column. Write `column: true` at its fields.", "key");
    return;
  }
  const key = JSON.stringify([...scope.names, name]);
  const type = field.type === "array" ? `array of ${field.items?.type ?? "nothing"}` : field.type;
  const other = scope.columns.get(key);
  if (other === undefined) scope.columns.set(key, type);
  else if (other !== type) {
    scope.report(
      [...path, "type"],
      `This column has the type ${other} above. Write the same type, or remove one \`column\`.`,
    );
  }
}
