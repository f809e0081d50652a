/** Checks a plan file against the shape of its format. */
import { isRecord } from "@candor/envelope/unknown-value";
import type { Path, Report } from "./document.ts";
import { nearest } from "./nearest.ts";
import { followRef, type Shape } from "./schema-file.ts";

/** Checks a value against a shape, and reports every mismatch with what to write instead. */
export function checkStructure(reference: Shape, value: unknown, path: Path, report: Report): void {
  // A value that could not be read has already been reported.
  if (value === undefined) return;
  const shape = followRef(reference);
  if (shape.enum !== undefined) {
    checkChoice(shape.enum, value, path, report);
    return;
  }
  const types = [shape.type ?? []].flat();
  const actual = typeOf(value);
  if (!types.includes(actual) && !(actual === "integer" && types.includes("number"))) {
    report(path, wrongType(types, actual, reference.description ?? shape.description));
  } else if (typeof value === "string") checkText(shape, value, path, report);
  else if (typeof value === "number") checkNumber(shape, value, path, report);
  else if (Array.isArray(value)) checkList(shape, value, path, report);
  else if (isRecord(value)) checkBlock(shape, value, path, report);
}

function checkChoice(choices: readonly string[], value: unknown, path: Path, report: Report): void {
  if (typeof value === "string" && choices.includes(value)) return;
  const meant = typeof value === "string" ? meantBy(value, choices) : undefined;
  const hint = meant === undefined ? "" : ` Did you mean ${quote([meant])}?`;
  report(
    path,
    `${value === null ? "This is empty" : "This is not one of the values"}. Write one of ${quote(choices)}.${hint}`,
  );
}

/** Maps the names that types have in other languages and formats to the plan's names. */
const OTHER_NAMES: { readonly [name: string]: string | undefined } = Object.assign(Object.create(null), {
  ...Object.fromEntries(["int", "int32", "int64", "long", "uint", "count"].map((name) => [name, "integer"])),
  ...Object.fromEntries(["float", "double", "decimal", "real", "numeric"].map((name) => [name, "number"])),
  ...Object.fromEntries(["str", "text", "varchar", "uuid", "url", "enum"].map((name) => [name, "string"])),
  ...Object.fromEntries(["date", "time", "datetime", "timestamp"].map((name) => [name, "string"])),
  ...Object.fromEntries(["bool", "flag", "bit"].map((name) => [name, "boolean"])),
  ...Object.fromEntries(["dict", "map", "record", "struct", "json"].map((name) => [name, "object"])),
  ...Object.fromEntries(["list", "set", "tuple"].map((name) => [name, "array"])),
});

function meantBy(word: string, choices: readonly string[]): string | undefined {
  const other = OTHER_NAMES[word.toLowerCase()];
  return other !== undefined && choices.includes(other) ? other : nearest(word, choices);
}

const TYPE_WORDS: { readonly [type: string]: string | undefined } = {
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  object: "a block of keys",
  array: "a list",
  null: "empty",
};

function wrongType(types: readonly string[], actual: string, description = ""): string {
  const wanted = types.map((type) => TYPE_WORDS[type]).join(" or ");
  return `This is ${TYPE_WORDS[actual] ?? actual}. Write ${wanted}${hintFor(types, actual)}. ${description}`.trimEnd();
}

function hintFor(types: readonly string[], actual: string): string {
  const isScalar = actual !== "object" && actual !== "array" && actual !== "null";
  if (types.includes("string") && isScalar) return ", in quotes";
  if (types.includes("array") && isScalar) return ", each item on a line of its own after `- `";
  return "";
}

function checkText(shape: Shape, value: string, path: Path, report: Report): void {
  const {
    minLength = 0,
    maxLength = Number.POSITIVE_INFINITY,
    pattern,
    examples = [],
    description = "",
  } = shape;
  // Counts characters as JSON Schema does, not UTF-16 code units.
  const { length } = [...value];
  if (length < minLength)
    report(path, `This is too short. Write at least ${minLength} characters. ${description}`);
  else if (length > maxLength) report(path, `This is too long. Write at most ${maxLength} characters.`);
  if (pattern !== undefined && !new RegExp(pattern, "u").test(value)) {
    const form = examples[0] === undefined ? `match \`${pattern}\`` : `look like \`${examples[0]}\``;
    report(path, `This must ${form}. ${description}`);
  }
}

function checkNumber(shape: Shape, value: number, path: Path, report: Report): void {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = shape;
  if (value < minimum || value > maximum) report(path, `Write a number from ${minimum} to ${maximum}.`);
}

function checkList(shape: Shape, value: readonly unknown[], path: Path, report: Report): void {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, items, description = "" } = shape;
  if (value.length < minItems)
    report(path, `This list is empty. Write at least ${minItems} item. ${description}`);
  if (value.length > maxItems) report(path, `This list is too long. Write at most ${maxItems} items.`);
  if (items === undefined) return;
  for (const [index, item] of value.entries()) checkStructure(items, item, [...path, index], report);
}

function checkBlock(
  shape: Shape,
  value: { readonly [key: string]: unknown },
  path: Path,
  report: Report,
): void {
  const { properties = {}, required = [], additionalProperties, propertyNames } = shape;
  for (const key of required) {
    if (Object.hasOwn(value, key)) continue;
    report(
      [...path, key],
      `The key is missing; add it. ${followRef(properties[key] ?? {}).description ?? ""}`.trimEnd(),
    );
  }
  for (const [key, item] of Object.entries(value)) {
    const at = [...path, key];
    const child = Object.hasOwn(properties, key) ? properties[key] : additionalProperties || undefined;
    if (child === undefined) {
      report(at, unknownKey(key, Object.keys(properties)), "key");
      continue;
    }
    if (propertyNames !== undefined && !new RegExp(propertyNames.pattern, "u").test(key)) {
      report(at, NAME_FAULT, "key");
    }
    checkStructure(child, item, at, report);
  }
}

const NAME_FAULT =
  "This name is not allowed. Write 1 to 64 letters, digits, `_`, `-`, `$` or blanks, without dots, and not `__proto__`, `constructor` or `prototype`; a field inside of another stands under `fields`.";

function unknownKey(key: string, keys: readonly string[]): string {
  const meant = nearest(key, keys);
  if (meant !== undefined) return `There is no such key. Did you mean ${quote([meant])}?`;
  return `There is no such key. Remove it, or write one of ${quote(keys)}.`;
}

/** Formats words as `code`, separated by commas. */
export function quote(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(", ");
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  if (Number.isInteger(value)) return "integer";
  if (typeof value === "number" && !Number.isFinite(value)) return "not a finite number";
  return typeof value;
}
