/** Owns how values of unknown shape are read: foreign JSON, and Node's errors. */

/** Whether a value is a JSON object, not an array. */
export function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses JSON text; undefined if it is not JSON. */
export function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A JSON object of unknown shape. */
export type Fields = { readonly [name: string]: unknown };

/** A value as fields, if it is an object. */
export function toFields(value: unknown): Fields | undefined {
  return isRecord(value) ? value : undefined;
}

/** The fields of a JSON object, or undefined. */
export function parseFields(json: string): Fields | undefined {
  return toFields(tryParseJson(json));
}

/** A non-empty string; undefined for anything else. */
export function toText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Whether a value is a string of more than blanks. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

/** A JSON value as text. Not with String, which some objects make throw. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/**
 * An error's `code`, such as ENOENT, if it has one. Does not use `instanceof`: Jest and vitest run a product in a
 * realm of its own, where Node's errors are not instances of `Error`.
 */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
