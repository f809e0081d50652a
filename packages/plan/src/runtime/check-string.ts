/** Compiles the checks of a string. */
import type { StringFormat, StringType } from "../plan.ts";
import { compilePattern, type PatternCheck } from "./check-pattern.ts";
import type { TrimReason } from "./verdict.ts";

const EMAIL = /^[^\s@]+@[^\s@]+$/;
/** Matches semver, dotted numbers of any length, and the suffixes that distributions add. */
export const VERSION_PATTERN = "v?[0-9][0-9A-Za-z.+-]*";

/** The formats that themselves define the form of a value. */
const FORMS: { readonly [format in StringFormat]?: RegExp } = {
  email: EMAIL,
  version: new RegExp(`^${VERSION_PATTERN}$`),
};

/** Returns why a redacted string is not allowed; undefined if it is allowed. */
export type StringCheck = (value: string) => TrimReason | undefined;

/** Compiles the check of a string's limits. */
export function compileString(type: StringType): StringCheck {
  if (type.hash) return (value) => (isKeyedHash(value) ? undefined : "not_hashed");
  if (type.enum !== undefined) {
    const allowed = new Set(type.enum);
    return (value) => (allowed.has(value) ? undefined : "not_in_enum");
  }
  const { maxLength } = type;
  const hasForm = formOf(type);
  if (hasForm === undefined) return (value) => (value.length > maxLength ? "too_long" : undefined);
  return (value) => {
    if (value.length > maxLength) return "too_long";
    return hasForm(value) ? undefined : "pattern_mismatch";
  };
}

const isKeyedHash = compilePattern("[0-9a-f]{32,64}");

function formOf({ format, pattern }: StringType): PatternCheck | undefined {
  const own = FORMS[format];
  if (own !== undefined) return (value) => own.test(value);
  return pattern === undefined ? undefined : compilePattern(pattern);
}
