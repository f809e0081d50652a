/** Reads values of unknown shape: foreign JSON, and Node's errors. */

/** Whether a value is a JSON object, and not an array. */
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

export type Fields = { readonly [name: string]: unknown };

/** Returns a value as fields if it is an object; undefined otherwise. */
export function toFields(value: unknown): Fields | undefined {
  return isRecord(value) ? value : undefined;
}

/** Parses a text as a JSON object; undefined if it is not one. */
export function parseFields(json: string): Fields | undefined {
  return toFields(tryParseJson(json));
}

/** Returns a non-empty string; undefined for any other value. */
export function toText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Whether a value is a string that contains more than white space. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

/**
 * Returns a string unchanged, an empty text for `undefined`, and any other value as JSON. `String()` would
 * throw for some objects.
 */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/**
 * An error's `code`, such as ENOENT; undefined if it has none. Does not use `instanceof`, because Jest and
 * vitest run a product in its own realm, where Node's errors are not instances of `Error`.
 */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
