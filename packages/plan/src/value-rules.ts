/** Checks which limits a field may have, and that its example satisfies them. */
import type { Path, Report } from "./document.ts";
import type { FieldFile, ItemFile } from "./field-format.ts";
import { toType } from "./model.ts";
import { type PatternReader, patternFault } from "./pattern-rules.ts";
import { DEFAULT_MAX_ITEMS, DEFAULT_MAX_LENGTH, type FieldType } from "./plan.ts";
import { applyRules, type Rule } from "./rule.ts";
import { compileValue } from "./runtime/check-value.ts";
import { Notes } from "./runtime/notes.ts";
import type { Place } from "./runtime/place.ts";
import type { TrimReason } from "./runtime/verdict.ts";

const TEXT_LIMITS = ["max_length", "enum", "pattern", "form", "format", "hash"] as const;
const NUMBER_LIMITS = ["minimum", "maximum", "buckets"] as const;
const ARRAY_LIMITS = ["items", "max_items"] as const;

/** The limits that each type may have. */
const LIMITS: { readonly [type in FieldFile["type"]]: readonly string[] } = {
  string: TEXT_LIMITS,
  integer: NUMBER_LIMITS,
  number: NUMBER_LIMITS,
  boolean: [],
  object: ["fields"],
  array: ARRAY_LIMITS,
};

/**
 * Rules for the limits of a string, most of which forbid a limit without effect: a hashed field accepts only
 * hashes, and an `enum` only its values.
 */
const TEXT_RULES: readonly Rule<ItemFile | FieldFile>[] = [
  ...(["enum", "pattern", "format"] as const).map(
    (key): Rule<ItemFile | FieldFile> => ({
      key,
      part: "key",
      isBroken: (limits) => limits.hash === true && (limits[key] ?? "text") !== "text",
      say: `A hashed value is always lower-case hex. Remove \`${key}\`, or \`hash\`.`,
    }),
  ),
  {
    key: "max_length",
    isBroken: ({ hash, max_length = 64 }) => hash === true && max_length < 64,
    say: "A hash may have 64 characters. Write 64 or more, or remove it.",
  },
  {
    key: "pattern",
    part: "key",
    isBroken: (limits) => limits.enum !== undefined && limits.pattern !== undefined,
    say: "`enum` lists all values already. Remove `pattern`, or `enum`.",
  },
  {
    key: "format",
    part: "key",
    isBroken: (limits) => limits.enum !== undefined && (limits.format ?? "text") !== "text",
    say: "The values of `enum` are kept as they are. Remove `format`, or `enum`.",
  },
  {
    key: "pattern",
    part: "key",
    isBroken: ({ pattern, format = "text" }) =>
      pattern !== undefined && format !== "text" && format !== "url",
    say: ({ format }) =>
      `The format \`${format}\` checks the value already. Remove \`pattern\`, or \`format\`.`,
  },
  {
    key: "form",
    part: "key",
    isBroken: ({ form, pattern }) => form !== undefined && pattern === undefined,
    say: "`form` names what a `pattern` matches. Add the pattern, or remove `form`.",
  },
];

/** Checks the limits of a field and of its items. Returns false if a fault was reported. */
export function checkLimits(
  field: FieldFile,
  path: Path,
  { report, readPattern }: { readonly report: Report; readonly readPattern: PatternReader },
): boolean {
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
      checkValues(field.items, [...path, "items"], fail, readPattern, field.max_items ?? DEFAULT_MAX_ITEMS);
    }
  } else checkValues(field, path, fail, readPattern);
  return isGood;
}

/** Reports limits that the type does not have. */
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

/**
 * Checks the limits of a field's values, or of an array's items.
 * @param values how many values one field can contain
 */
function checkValues(
  field: FieldFile | ItemFile,
  path: Path,
  fail: Report,
  readPattern: PatternReader,
  values = 1,
): void {
  if (field.type !== "string") {
    checkRange(field, path, fail);
    return;
  }
  applyRules(TEXT_RULES, field, undefined, path, fail);
  checkEnum(field, path, fail);
  if (field.pattern === undefined) return;
  const fault = patternFault(field.pattern, field.max_length, values, readPattern);
  if (fault !== undefined) fail([...path, "pattern"], fault);
}

function checkEnum(field: FieldFile | ItemFile, path: Path, fail: Report): void {
  const { enum: values = [], max_length = DEFAULT_MAX_LENGTH } = field;
  for (const [index, value] of values.entries()) {
    const at = [...path, "enum", index];
    if (values.indexOf(value) < index) fail(at, "Duplicate value. Remove one of the two.");
    if (value.length > max_length)
      fail(at, `This is longer than \`max_length\` (${max_length}). Raise it, or shorten the value.`);
  }
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
      fail(at, "This is outside of `minimum` and `maximum`. Write a bound within, or widen the range.");
    } else if (field.type === "integer" && !Number.isInteger(bound)) {
      fail(at, "The type is integer. Write a whole number.");
    }
  }
}

/**
 * Checks that the field has an example, and that the collector would keep it unchanged. Call it only if
 * `checkLimits` found no fault.
 */
export function checkExample(field: FieldFile, path: Path, report: Report): void {
  const { example } = field;
  const at = [...path, "example"];
  if (field.type === "object") {
    if (example !== undefined)
      report(at, "An object has no example: its fields have theirs. Remove it.", "key");
  } else if (example === undefined) {
    report(at, "The key is missing; add a value that fits the limits. The public page shows it.");
  } else if (field.type !== "array") checkExampleValue(example, field, at, report);
  else if (!Array.isArray(example)) report(at, "The field is an array. Write a list, such as `[...]`.");
  else {
    const most = field.max_items ?? DEFAULT_MAX_ITEMS;
    if (example.length > most) report(at, `This list is longer than \`max_items\` (${most}). Shorten it.`);
    if (field.items === undefined) return;
    for (const [index, item] of example.entries())
      checkExampleValue(item, field.items, [...at, index], report);
  }
}

/**
 * A place for checking an example as a collector would. Any user agent passes, because the source's policy is
 * not known here.
 */
const PLACE: Place = {
  path: "example",
  ip: "truncate",
  userAgent: "keep",
  level: 2,
  isOwn: false,
  observe: false,
  redactors: { address: () => "[ip]", userAgent: () => "", pseudonym: (id) => id },
};

/**
 * Why the collector would change or remove a value of a type; undefined if it would keep the value unchanged.
 */
export function reasonToTrim(
  type: FieldType,
  value: NonNullable<FieldFile["example"]>,
): TrimReason | undefined {
  const notes = new Notes();
  compileValue(type, PLACE)(Array.isArray(value) ? [...value] : (value as string), notes);
  return notes.take()[0]?.reason;
}

function checkExampleValue(
  value: NonNullable<FieldFile["example"]>,
  field: FieldFile | ItemFile,
  at: Path,
  report: Report,
): void {
  const reason = reasonToTrim(toType(field), value);
  if (reason !== undefined)
    report(
      at,
      `The example would ${reason === "address_reduced" ? "be changed" : "be removed"}. ${cureOf(reason, field)}`,
    );
}

/** What to write instead, for each reason why the collector would not keep the value. */
function cureOf(reason: TrimReason, field: FieldFile | ItemFile): string {
  switch (reason) {
    case "wrong_type":
      return TYPE_CURES[field.type] ?? "";
    case "too_long":
      return `Shorten it, or raise \`max_length\` (${field.max_length ?? DEFAULT_MAX_LENGTH}).`;
    case "not_in_enum":
      return "Write one of the values of `enum`.";
    case "not_hashed":
      return "Write 32 to 64 characters of lower-case hex.";
    case "out_of_range":
      return "Write a number within `minimum`, `maximum` and `buckets`.";
    case "email_removed":
      return "Write one without an e-mail address: these are cut out of text.";
    case "address_reduced":
      return "It is taken for an IP address. Write `format: version` if the field is a version, `format: ip` if it is an address.";
    case "address_removed":
      return "Write one without an IP address: these are cut out of text.";
    default:
      return FORM_CURES[field.pattern === undefined ? (field.format ?? "text") : "text"];
  }
}

const TYPE_CURES: { readonly [type: string]: string | undefined } = {
  string: "Write text, in quotes.",
  integer: "Write a whole number, without quotes.",
  number: "Write a number, without quotes.",
  boolean: "Write true or false, without quotes.",
};

const FORM_CURES = {
  version: "Write a version, such as 1.9.2: digits, letters, `.`, `-` and `+`, after a digit or `v`.",
  text: "Write one that matches `pattern` as a whole, or correct the pattern.",
  url: "Write a URL or its path, such as /applications.",
  ip: "Write an IP address, such as 203.0.113.7.",
  user_agent: "Write a user agent.",
  email: "Write an e-mail address, such as name@example.com.",
};
