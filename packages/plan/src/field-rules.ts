/** Checks the rules for fields, including nested ones. value-rules.ts checks their limits and examples. */

import { isRecord } from "@candor/envelope/unknown-value";
import type { Path, Report } from "./document.ts";
import { checkMarks } from "./evaluation-rules.ts";
import type { FieldFile } from "./field-format.ts";
import type { PatternReader } from "./pattern-rules.ts";
import { applyRules, newerThanPlan, type Rule } from "./rule.ts";
import { checkExample, checkLimits } from "./value-rules.ts";

const MAX_DEPTH = 8;

/** What the checks of events and fields share. */
export interface PlanScope {
  /** The plan's version; infinite if it cannot be read. */
  readonly version: number;
  /**
   * Whether a unit (see `unitOf`) passed the check of its structure, so that it has the types that format.ts
   * requires.
   */
  readonly isSound: (path: Path) => boolean;
  readonly report: Report;
  readonly readPattern: PatternReader;
  /** The store's columns declared so far: maps the path in a message, as JSON, to the column's type. */
  readonly columns: Map<string, string>;
}

/** A block of fields, with its place in the file and in messages. */
export interface FieldScope extends PlanScope {
  /** The block's position in the file. */
  readonly path: Path;
  readonly place: "context" | "ids" | "event";
  /** The block's position in a message: `["properties", "datasource"]`. */
  readonly names: readonly string[];
  /** The `since` of the event or object that contains the block; 1 for `context` and `ids`. */
  readonly since: number;
  /**
   * The nesting depth of the block: 1 for the fields directly in `properties`, `traits`, `context` or `ids`.
   */
  readonly depth: number;
}

const NO_ADDRESS =
  "Only a field with `sensitivity: contact` holds an address. Write another format, or that sensitivity.";

const FIELD_RULES: readonly Rule<FieldFile, FieldScope>[] = [
  {
    key: "since",
    isBroken: ({ since = 0 }, { version }) => since > version,
    say: (_field, { version }) => newerThanPlan(version),
  },
  {
    key: "since",
    isBroken: (field, { since, version }) =>
      field.since !== undefined && field.since < since && field.since <= version,
    say: (_field, { since }) => `This is older than its block. Write ${since} or more, or remove it.`,
  },
  {
    key: "sensitivity",
    part: "key",
    isBroken: ({ type, sensitivity }) => type === "object" && sensitivity !== undefined,
    say: "An object has no sensitivity: each of its fields has one. Remove it.",
  },
  {
    key: "sensitivity",
    isBroken: ({ type, sensitivity }) => type !== "object" && sensitivity === undefined,
    say: "The key is missing; add it: `technical`, `interaction`, `content` or `contact`.",
  },
  {
    key: "exception",
    isBroken: ({ sensitivity, exception }) => sensitivity === "content" && exception === undefined,
    say: "What people typed is collected only for a reason. Add `exception:` with a sentence that gives it.",
  },
  {
    key: "exception",
    part: "key",
    isBroken: ({ sensitivity, exception }) => sensitivity !== "content" && exception !== undefined,
    say: "Only `sensitivity: content` has an exception. Remove it, or write that sensitivity.",
  },
  {
    key: "sensitivity",
    isBroken: (field, { place, depth }) => isContact(field) && (place !== "event" || depth > 1),
    say: "A contact can only be in an event's own `properties` or `traits`. Move it there.",
  },
  {
    key: "type",
    isBroken: (field) => isContact(field) && field.type !== "string",
    say: "A contact is text. Write `string`.",
  },
  {
    key: "format",
    isBroken: (field) => isContact(field) && !["email", "text"].includes(field.format ?? "text"),
    say: "A contact is `email` or `text`. Write one of the two.",
  },
  {
    key: "required",
    part: "key",
    isBroken: (field) => isContact(field) && field.required === true,
    say: "A contact is never required: a person may leave it out. Remove it.",
  },
  {
    key: "column",
    part: "key",
    isBroken: (field) => isContact(field) && field.column === true,
    say: "A contact is stored apart and never gets a column. Remove it.",
  },
  {
    key: "hash",
    part: "key",
    isBroken: (field) => isContact(field) && field.hash === true,
    say: "A contact is there to be answered, so it cannot be hashed. Remove `hash`, or write another sensitivity.",
  },
  {
    key: "kept_with",
    part: "key",
    isBroken: (field) => !isContact(field) && field.kept_with !== undefined,
    say: "Only a field with `sensitivity: contact` has this. Remove it.",
  },
  {
    key: "format",
    isBroken: (field) => !isContact(field) && field.format === "email",
    say: NO_ADDRESS,
  },
  {
    key: "required",
    part: "key",
    isBroken: ({ required }, { place }) => required === true && place !== "event",
    say: "Only fields of an event can be required. Remove it.",
  },
  {
    key: "required",
    part: "key",
    isBroken: ({ required, format }, { place }) =>
      required === true && place === "event" && (format === "ip" || format === "user_agent"),
    say: "The source's policy may remove this value, so it cannot be required. Remove it.",
  },
  {
    key: "column",
    part: "key",
    isBroken: ({ column }, { place }) => column === true && place === "ids",
    say: "Ids have columns already. Remove it.",
  },
  {
    key: "column",
    part: "key",
    isBroken: ({ column, type }, { place }) => column === true && place !== "ids" && type === "object",
    say: "An object cannot be a column. Write `column: true` at its fields.",
  },
  {
    key: "type",
    isBroken: ({ type }, { place }) => place === "ids" && type !== "string",
    say: "An id is text. Write `string`.",
  },
  {
    key: "format",
    isBroken: ({ type, format = "text" }, { place }) =>
      place === "ids" && type === "string" && format !== "text" && format !== "ip",
    say: "An id is `text` or `ip`. Write one of the two.",
  },
  {
    // An id of the declared form is kept unchanged, so a form is required. Otherwise names and addresses
    // would be kept too.
    key: "pattern",
    isBroken: ({ type, format = "text", pattern, enum: values, hash }, { place }) =>
      place === "ids" &&
      type === "string" &&
      format === "text" &&
      pattern === undefined &&
      values === undefined &&
      hash !== true,
    say: "Any text would be accepted as this id. Add a `pattern`, or `hash: true`.",
  },
];

function isContact({ sensitivity }: FieldFile): boolean {
  return sensitivity === "contact";
}

/** Checks the rules of a block of fields and of nested fields. */
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
    const names = [...scope.names, name];
    checkFields(field.fields, {
      ...scope,
      path: [...path, "fields"],
      names,
      since,
      depth: scope.depth + 1,
    });
  }
}

function checkField(field: FieldFile, path: Path, name: string, scope: FieldScope): void {
  applyRules(FIELD_RULES, field, scope, path, scope.report);
  checkMarks(field, path, { isOwn: scope.depth === 1 && scope.names[0] === "properties" }, scope.report);
  checkColumnType(field, path, name, scope);
  if (field.items?.format === "email") scope.report([...path, "items", "format"], NO_ADDRESS);
  if (checkLimits(field, path, scope)) checkExample(field, path, scope.report);
}

/** Checks that a column always has the same type, because all events share the store's columns. */
function checkColumnType(field: FieldFile, path: Path, name: string, scope: FieldScope): void {
  if (field.column !== true || scope.place === "ids" || field.type === "object") return;
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
