/** Compares the types of two fields. */
import type { Note } from "./difference.ts";
import type { ArrayType, FieldType, NumberType, StringType } from "./plan.ts";

/** Compares the values that two types accept. A change whose effect is unclear counts as newly collected. */
export function diffTypes(older: FieldType, newer: FieldType, note: Note): void {
  if (older.type === "string" && newer.type === "string") diffStrings(older, newer, note);
  else if (isNumber(older) && isNumber(newer)) diffNumbers(older, newer, note);
  else if (older.type === "array" && newer.type === "array") diffArrays(older, newer, note);
  else if (older.type !== newer.type) {
    note("newly_collected", `Its type is ${newer.type} instead of ${older.type}.`);
  }
}

function isNumber(type: FieldType): type is NumberType {
  return type.type === "integer" || type.type === "number";
}

function diffArrays(older: ArrayType, newer: ArrayType, note: Note): void {
  diffTypes(older.items, newer.items, note);
  diffLimit("items", older.maxItems, newer.maxItems, note);
}

function diffLimit(what: string, before: number, after: number, note: Note): void {
  if (before === after) return;
  note(after > before ? "newly_collected" : "less", `It takes ${after} ${what} instead of ${before}.`);
}

function diffStrings(older: StringType, newer: StringType, note: Note): void {
  if (older.form !== newer.form) note("other", "Changed: `form`.");
  if (newer.hash) {
    if (older.hash) return;
    const isVocabulary = older.enum !== undefined;
    note(isVocabulary ? "newly_collected" : "less", "It is hashed now.");
  } else if (older.hash) note("more_sensitive", "It is no longer hashed.");
  else if (newer.enum !== undefined) diffVocabulary(older, newer.enum, note);
  else diffTexts(older, newer, note);
}

function diffVocabulary(older: StringType, values: readonly string[], note: Note): void {
  if (older.enum === undefined) {
    const pattern = new RegExp(`^(?:${older.pattern ?? ".*"})$`, "su");
    const isWithin = values.every((value) => value.length <= older.maxLength && pattern.test(value));
    note(isWithin ? "less" : "newly_collected", "It takes the values of a list now.");
    return;
  }
  const before = older.enum;
  const added = values.filter((value) => !before.includes(value));
  const removed = before.filter((value) => !values.includes(value));
  if (added.length > 0) note("newly_collected", `It takes more values: ${listOf(added)}.`);
  if (removed.length > 0) note("less", `It takes fewer values, without ${listOf(removed)}.`);
}

function listOf(values: readonly string[]): string {
  const shown = values.slice(0, 10).map((value) => `\`${value}\``);
  const more = values.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function diffTexts(older: StringType, newer: StringType, note: Note): void {
  if (older.enum !== undefined) {
    note("newly_collected", "It is no longer limited to the values of a list.");
    return;
  }
  if (older.pattern !== newer.pattern) {
    if (older.pattern === undefined) note("less", "It must match a pattern now.");
    else if (newer.pattern === undefined) note("newly_collected", "It no longer has to match a pattern.");
    else note("newly_collected", "It must match another pattern.");
  }
  if (older.format !== newer.format) {
    // Only `url` keeps less than `text`: a path. The others may keep an address, which is cut out of `text`.
    const kind = older.format === "text" && newer.format === "url" ? "less" : "newly_collected";
    note(kind, `Its format is \`${newer.format}\` instead of \`${older.format}\`.`);
  }
  diffLimit("characters", older.maxLength, newer.maxLength, note);
}

function diffNumbers(older: NumberType, newer: NumberType, note: Note): void {
  if (older.type !== newer.type) {
    note(
      newer.type === "number" ? "newly_collected" : "less",
      `Its type is ${newer.type} instead of ${older.type}.`,
    );
  }
  const [before, after] = [rangeOf(older), rangeOf(newer)];
  if (after.least < before.least || after.most > before.most) {
    note("newly_collected", "Its range is wider.");
  } else if (after.least > before.least || after.most < before.most) note("less", "Its range is narrower.");
  diffBuckets(older.buckets, newer.buckets, note);
}

/** The range that the collector accepts. Values below the first bucket are out of range. */
function rangeOf({ minimum, maximum, buckets }: NumberType): { least: number; most: number } {
  const least = Math.max(minimum ?? Number.NEGATIVE_INFINITY, buckets?.[0] ?? Number.NEGATIVE_INFINITY);
  return { least, most: maximum ?? Number.POSITIVE_INFINITY };
}

function diffBuckets(
  before: readonly number[] | undefined,
  after: readonly number[] | undefined,
  note: Note,
): void {
  if (after === undefined) {
    if (before !== undefined) note("newly_collected", "Exact numbers are kept, no longer buckets.");
  } else if (before === undefined) note("less", "Buckets are kept instead of exact numbers.");
  else if (after.some((bound) => !before.includes(bound))) note("newly_collected", "Its buckets differ.");
  else if (after.length < before.length) note("less", "Its buckets are coarser.");
}
