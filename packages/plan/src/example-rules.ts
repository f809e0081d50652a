/** Checks the examples of a plan's fields. */
import type { Path, Report } from "./document.ts";
import type { FieldFile, ItemFile } from "./field-format.ts";
import { toType } from "./model.ts";
import { DEFAULT_MAX_ITEMS, DEFAULT_MAX_LENGTH } from "./plan.ts";
import { compileValue } from "./runtime/check-value.ts";
import { Notes } from "./runtime/notes.ts";
import type { Place } from "./runtime/place.ts";
import type { TrimReason } from "./runtime/verdict.ts";

/**
 * Checks that there is an example, and that it would pass unchanged. The field's own limits have been checked before.
 */
export function checkExample(field: FieldFile, path: Path, report: Report): void {
  const { example } = field;
  const at = [...path, "example"];
  if (field.type === "object") {
    if (example !== undefined)
      report(at, "An object has no example: its fields have theirs. Remove it.", "key");
  } else if (example === undefined) {
    report(at, "The key is missing; add a value that fits the limits. The public page shows it.");
  } else if (field.type !== "array") checkValue(example, field, at, report);
  else if (!Array.isArray(example)) report(at, "The field is an array. Write a list, such as `[...]`.");
  else {
    const most = field.max_items ?? DEFAULT_MAX_ITEMS;
    if (example.length > most) report(at, `This list is longer than \`max_items\` (${most}). Shorten it.`);
    if (field.items === undefined) return;
    for (const [index, item] of example.entries()) checkValue(item, field.items, [...at, index], report);
  }
}

/** The collector's own check. What a policy makes of a user agent is not known here, nor its length. */
const PLACE: Place = {
  path: "example",
  ip: "truncate",
  userAgent: "keep",
  level: 2,
  isOwn: false,
  observe: false,
  reducers: { address: () => "[ip]", userAgent: () => "", pseudonym: (id) => id },
};

function checkValue(
  value: NonNullable<FieldFile["example"]>,
  field: FieldFile | ItemFile,
  at: Path,
  report: Report,
): void {
  const notes = new Notes();
  compileValue(toType(field), PLACE)(Array.isArray(value) ? [...value] : (value as string), notes);
  const reason = notes.take()[0]?.reason;
  if (reason !== undefined)
    report(
      at,
      `The example would ${reason === "address_reduced" ? "be changed" : "be removed"}. ${cureOf(reason, field)}`,
    );
}

/** What to write instead, by the reason for which the collector would not keep it. */
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
  text: "Write one that matches `pattern` as a whole, or mend the pattern.",
  url: "Write a URL or its path, such as /applications.",
  ip: "Write an IP address, such as 203.0.113.7.",
  user_agent: "Write a user agent.",
  email: "Write an e-mail address, such as name@example.com.",
};
