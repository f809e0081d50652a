import type { StringType } from "../plan.ts";
import type { TrimReason } from "./judgement.ts";

const NOT_HEX = /[^0-9a-f]/;
const EMAIL = /^[^\s@]+@[^\s@]+$/;

/** Says what is wrong with a string that the format has reduced already; undefined when nothing is. */
export type StringJudge = (value: string) => TrimReason | undefined;

/** Compiles the limits of a string. */
export function compileString(type: StringType): StringJudge {
  if (type.hash) return (value) => (isKeyedHash(value) ? undefined : "not_hashed");
  if (type.enum !== undefined) {
    const allowed = new Set(type.enum);
    return (value) => (allowed.has(value) ? undefined : "not_in_enum");
  }
  const { maxLength } = type;
  const pattern = type.format === "email" ? EMAIL : toPattern(type.pattern);
  if (pattern === undefined) return (value) => (value.length > maxLength ? "too_long" : undefined);
  return (value) => {
    if (value.length > maxLength) return "too_long";
    return pattern.test(value) ? undefined : "pattern_mismatch";
  };
}

/** Not one pattern: `{32,64}` takes twice the time. */
function isKeyedHash(value: string): boolean {
  return value.length >= 32 && value.length <= 64 && !NOT_HEX.test(value);
}

/** The pattern for the whole value, as `pattern` of an HTML form is meant. */
function toPattern(pattern: string | undefined): RegExp | undefined {
  return pattern === undefined ? undefined : new RegExp(`^(?:${pattern})$`, "u");
}
