/** Reads the code that Node gives its errors. */

/**
 * An error's `code`, such as ENOENT; undefined when it has none. Does not use `instanceof`: Jest and vitest run a product in a
 * realm of its own, where Node's errors are not instances of `Error`.
 */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
