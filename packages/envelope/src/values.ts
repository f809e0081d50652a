/**
 * Checks JSON values, whether a plan describes them or not: how deep they nest, and whether their numbers can
 * be kept exactly as sent.
 */
import type { JsonObject, JsonValue } from "./message.ts";

/** The deepest allowed nesting of objects and arrays in a message. The message itself is level 1. */
export const MAX_NESTING_LEVELS = 32;

/** From this value on, JavaScript writes integers with an exponent, which every reader parses as a double. */
const EXPONENT_FROM = 1e21;

export type ValueFault = "too_deep" | "number_out_of_range";

/**
 * Whether a number is written back as it was sent, and parsed as the same number by every JSON parser. JSON
 * allows `1e400`, which JavaScript would write as null. Integers beyond 2^53 lose digits, and the store
 * rejects a document with an integer beyond 64 bits.
 */
export function isExactNumber(value: number): boolean {
  if (Number.isSafeInteger(value)) return true;
  return Number.isFinite(value) && (!Number.isInteger(value) || Math.abs(value) >= EXPONENT_FROM);
}

/**
 * Checks a value at nesting level `level`. The recursion stops at the limit, however deep a malicious value
 * nests.
 * @returns undefined if nothing is wrong
 */
export function valueFaultOf(value: JsonValue | undefined, level: number): ValueFault | undefined {
  if (typeof value === "number") return isExactNumber(value) ? undefined : "number_out_of_range";
  if (typeof value !== "object" || value === null) return undefined;
  if (level > MAX_NESTING_LEVELS) return "too_deep";
  const entries: { readonly [key: string]: JsonValue } = value as JsonObject; // works for arrays too
  for (const key in entries) {
    const fault = valueFaultOf(entries[key], level + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
