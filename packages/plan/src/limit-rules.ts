/** Checks the limits of a plan's fields. */
import type { Path, Report } from "./document.ts";
import type { FieldFile, ItemFile } from "./field-format.ts";
import { patternFault } from "./pattern-rules.ts";
import { DEFAULT_MAX_ITEMS, DEFAULT_MAX_LENGTH } from "./plan.ts";

const TEXT_LIMITS = ["max_length", "enum", "pattern", "format", "hash"] as const;
const NUMBER_LIMITS = ["minimum", "maximum", "buckets"] as const;
const ARRAY_LIMITS = ["items", "max_items"] as const;

/** Which limits a type may have. */
const LIMITS: { readonly [type in FieldFile["type"]]: readonly string[] } = {
  string: TEXT_LIMITS,
  integer: NUMBER_LIMITS,
  number: NUMBER_LIMITS,
  boolean: [],
  object: ["fields"],
  array: ARRAY_LIMITS,
};

/** Checks a field's limits, and those of its items. Returns false if something was reported. */
export function checkLimits(field: FieldFile, path: Path, report: Report): boolean {
  let isGood = true;
  const fail: Report = (...fault) => {
    isGood = false;
    report(...fault);
  };
  checkPlaces(field, path, fail);
  if (field.type === "object") {
    if (field.fields === undefined) fail([...path, "fields"], "The key is missing; add the object's fields.");
    else if (Object.keys(field.fields).length === 0)
      fail([...path, "fields"], "This object has no fields. Add them, or remove the object.", "key");
  } else if (field.type === "array") {
    if (field.items === undefined) {
      fail([...path, "items"], "The key is missing; add what each item is: `items:` with a `type`.");
    } else {
      checkPlaces(field.items, [...path, "items"], fail);
      checkValues(field.items, [...path, "items"], fail, field.max_items ?? DEFAULT_MAX_ITEMS);
    }
  } else checkValues(field, path, fail);
  return isGood;
}

/** Each limit must belong to a type that has it. */
function checkPlaces(field: FieldFile | ItemFile, path: Path, fail: Report): void {
  const own = LIMITS[field.type];
  const keys = new Map<string, unknown>(Object.entries(field));
  for (const [type, limits] of [
    ["a string", TEXT_LIMITS],
    ["a number", NUMBER_LIMITS],
    ["an array", ARRAY_LIMITS],
    ["an object", ["fields"]],
  ] as const) {
    for (const limit of limits) {
      if (own.includes(limit) || !keys.has(limit)) continue;
      const isItems = field.type === "array" && limit !== "fields";
      const cure = isItems ? "Write it under `items`." : "Remove it, or write another `type`.";
      fail([...path, limit], `\`${limit}\` is a limit of ${type}, not of type ${field.type}. ${cure}`, "key");
    }
  }
}

/** @param values how many values one field can hold */
function checkValues(field: FieldFile | ItemFile, path: Path, fail: Report, values = 1): void {
  if (field.type === "string") {
    if (field.hash === true) checkHash(field, path, fail);
    checkEnum(field, path, fail);
    checkFormat(field, path, fail);
    const fault =
      field.pattern === undefined ? undefined : patternFault(field.pattern, field.max_length, values);
    if (fault !== undefined) fail([...path, "pattern"], fault);
  } else checkRange(field, path, fail);
}

/** The collector accepts only hashes, or a list's values, so other limits would have no effect. */
function checkHash(field: FieldFile | ItemFile, path: Path, fail: Report): void {
  for (const key of ["enum", "pattern", "format"] as const) {
    if (field[key] === undefined || field[key] === "text") continue;
    fail(
      [...path, key],
      `A hashed value has one form only: lower-case hex. Remove \`${key}\`, or \`hash\`.`,
      "key",
    );
  }
  if ((field.max_length ?? 64) < 64) {
    fail([...path, "max_length"], "A hash may have 64 characters. Write 64 or more, or remove it.");
  }
}

function checkEnum(field: FieldFile | ItemFile, path: Path, fail: Report): void {
  const { enum: values, pattern, format = "text", max_length = DEFAULT_MAX_LENGTH } = field;
  if (values === undefined) return;
  if (pattern !== undefined)
    fail(
      [...path, "pattern"],
      "The values of `enum` are the whole form. Remove `pattern`, or `enum`.",
      "key",
    );
  if (format !== "text")
    fail(
      [...path, "format"],
      "The values of `enum` are kept as they are. Remove `format`, or `enum`.",
      "key",
    );
  for (const [index, value] of values.entries()) {
    const at = [...path, "enum", index];
    if (values.indexOf(value) < index) fail(at, "This value stands twice. Remove one of the two.");
    if (value.length > max_length)
      fail(at, `This is longer than \`max_length\` (${max_length}). Raise it, or shorten the value.`);
  }
}

function checkFormat({ format = "text", pattern }: FieldFile | ItemFile, path: Path, fail: Report): void {
  if (pattern === undefined || format === "text" || format === "url") return;
  fail(
    [...path, "pattern"],
    `The format \`${format}\` is the whole form. Remove \`pattern\`, or \`format\`.`,
    "key",
  );
}

function checkRange(field: FieldFile | ItemFile, path: Path, fail: Report): void {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY, buckets = [] } = field;
  if (minimum > maximum)
    fail([...path, "minimum"], `This is greater than \`maximum\`. Write ${maximum} or less.`);
  for (const [index, bound] of buckets.entries()) {
    const at = [...path, "buckets", index];
    const previous = buckets[index - 1];
    if (previous !== undefined && bound <= previous) {
      fail(at, `The bounds do not rise. Write a number greater than ${previous}.`);
    } else if (bound < minimum || bound > maximum) {
      fail(at, "This lies outside of `minimum` and `maximum`. Write a bound within, or widen the range.");
    } else if (field.type === "integer" && !Number.isInteger(bound)) {
      fail(at, "The type is integer. Write a whole number.");
    }
  }
}
