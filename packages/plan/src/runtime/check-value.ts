/** Compiles the check of one field, and of an object's fields. */
import {
  isExactNumber,
  isObject,
  type JsonObject,
  type JsonValue,
  valueFaultOf,
} from "@candor/envelope/wire";
import type { ArrayType, Field, Fields, FieldType, NumberType, StringType } from "../plan.ts";
import { isAddress } from "./address.ts";
import { compileHashed, compileKeyedHash, compileSentHash } from "./check-hash.ts";
import { charactersOf } from "./check-pattern.ts";
import { compileString, type StringCheck } from "./check-string.ts";
import type { Notes } from "./notes.ts";
import { type Place, reject, type ValueCheck } from "./place.ts";
import { allowsMarks, isMarked, scrub } from "./scrub.ts";
import { keepScrubbed } from "./scrub-value.ts";
import { toPath } from "./url-path.ts";

/** Compiles the check of one value. */
export function compileValue(type: FieldType, place: Place): ValueCheck {
  switch (type.type) {
    case "string":
      return compileText(type, place);
    case "integer":
    case "number":
      return compileNumber(type, place);
    case "boolean":
      return (value, notes) =>
        typeof value === "boolean" ? value : reject(value, "wrong_type", place, notes);
    case "object":
      return compileObject(type.fields, place);
    case "array":
      return compileArray(type, place);
  }
}

/** Compiles the check of an object's fields. Undeclared fields are noted under `path.*`. */
export function compileObject(fields: Fields, place: Place): ValueCheck {
  const checks = new Map<string, ValueCheck>();
  for (const [name, field] of Object.entries(fields)) {
    checks.set(
      name,
      compileValue(field, { ...place, path: `${place.path}.${name}`, level: place.level + 1 }),
    );
  }
  const checkAt = inUsualOrder(checks);
  const required = Object.keys(fields).filter((name) => isDemanded(fields[name]));
  const undeclared = compileUndeclared(place);
  return (value, notes) => {
    if (!isObject(value)) return reject(value, "wrong_type", place, notes);
    let copy: JsonObject | undefined;
    let position = 0;
    for (const name in value) {
      const before = value[name];
      if (before === undefined) continue;
      const check = checkAt(name, position++);
      if (check === undefined) {
        copy ??= copyUntil(value, name);
        undeclared(copy, name, before, notes);
        continue;
      }
      const after = check(before, notes);
      if (after === before) {
        if (copy !== undefined) copy[name] = after;
        continue;
      }
      if (after !== undefined && place.isOwn && copy === undefined) {
        value[name] = after;
        continue;
      }
      copy ??= copyUntil(value, name);
      if (after !== undefined) copy[name] = after;
    }
    const kept = copy ?? value;
    for (const name of required) if (!Object.hasOwn(kept, name)) notes.isRequiredMissing = true;
    return kept;
  };
}

/**
 * Finds checks by name. Clients usually write the fields of an event in the same order, so the field that was
 * last seen at a position is tried before the look-up. Remembers as many fields as the plan declares.
 */
function inUsualOrder(
  checks: ReadonlyMap<string, ValueCheck>,
): (name: string, position: number) => ValueCheck | undefined {
  const names = [...checks.keys()];
  const usual = [...checks.values()];
  return (name, position) => {
    if (names[position] === name) return usual[position];
    const check = checks.get(name);
    if (check !== undefined && position < names.length) {
      names[position] = name;
      usual[position] = check;
    }
    return check;
  };
}

/**
 * Compiles the handling of undeclared fields, which are noted. In mode `observe`, their names and values are
 * kept without addresses (see `keepScrubbed`), unless the message has a `ValueFault` and is dropped.
 */
function compileUndeclared(
  place: Place,
): (target: JsonObject, name: string, value: JsonValue, notes: Notes) => void {
  const path = `${place.path}.*`;
  return (target, name, value, notes) => {
    notes.add(path, "undeclared");
    notes.fault ??= valueFaultOf(value, place.level + 1);
    if (place.observe && notes.fault === undefined) keepScrubbed(target, name, value, place);
  };
}

/**
 * Whether a field's absence drops the message in mode `enforce`. A policy may remove a required address or
 * user agent without breaking a rule.
 */
function isDemanded(field: Field | undefined): boolean {
  if (field?.required !== true) return false;
  return field.type !== "string" || (field.format !== "ip" && field.format !== "user_agent");
}

/**
 * Copies the fields before `end`, in order. All of them are declared: otherwise there would already be a
 * copy.
 */
function copyUntil(value: JsonObject, end: string): JsonObject {
  const copy: JsonObject = {};
  for (const name in value) {
    if (name === end) break;
    const inner = value[name];
    if (inner !== undefined) copy[name] = inner;
  }
  return copy;
}

function compileText(type: StringType, place: Place): ValueCheck {
  const keyedHash = type.hash ? compileKeyedHash(place) : undefined;
  if (keyedHash !== undefined) return compileHashed(keyedHash, place);
  const check = compileString(type);
  if (type.hash) return compileSentHash(check, place);
  const reduce = compileReduction(type, place);
  const isFine = compileFine(type, check);
  return (value, notes) => {
    if (typeof value !== "string") return reject(value, "wrong_type", place, notes);
    if (isFine(value)) return value;
    const reduced = reduce(value, notes);
    if (reduced === undefined) return undefined;
    const fault = check(reduced);
    return fault === undefined ? reduced : reject(reduced, fault, place, notes);
  };
}

/**
 * Compiles a quick test that is true only for strings that stay unchanged. That is most of them: they have
 * the declared form and contain no character that an address needs.
 */
function compileFine(type: StringType, check: StringCheck): (value: string) => boolean {
  if (type.enum !== undefined) return (value) => check(value) === undefined;
  if (type.format !== "text") return () => false;
  const characters = type.pattern === undefined ? undefined : charactersOf(type.pattern);
  if (characters !== undefined && !allowsMarks(characters)) return (value) => check(value) === undefined;
  return (value) => value.length <= type.maxLength && !isMarked(value) && check(value) === undefined;
}

/**
 * Compiles the redaction of a string, which removes what the format and the source's policies do not keep,
 * before the limits are checked.
 */
function compileReduction(
  type: StringType,
  place: Place,
): (value: string, notes: Notes) => string | undefined {
  const { ip, userAgent, redactors, path } = place;
  if (type.enum !== undefined || type.format === "email" || type.format === "version")
    return (value) => value;
  if (type.format === "user_agent") return (value) => redactors.userAgent(value, userAgent);
  if (type.format === "ip") {
    return (value, notes) => {
      if (isAddress(value)) return redactors.address(value, ip);
      notes.add(path, "pattern_mismatch");
      return undefined;
    };
  }
  const cutAddresses = compileCut(type.maxLength, place);
  if (type.format === "text") return cutAddresses;
  return (value, notes) => {
    const urlPath = toPath(value);
    if (urlPath !== undefined) return rooted(cutAddresses(urlPath, notes));
    notes.add(path, "pattern_mismatch");
    return undefined;
  };
}

/**
 * Restores the leading slash of a path from which an address was cut, so that checking the path again changes
 * nothing.
 */
function rooted(path: string | undefined): string | undefined {
  return path === undefined || path === "" || path.startsWith("/") ? path : `/${path}`;
}

/**
 * Compiles the removal of addresses from a string. A string that is an IP address as a whole is redacted by
 * the source's policy. A string longer than the limit is not searched, because the check of the limit then
 * rejects it.
 */
function compileCut(maxLength: number, place: Place): (value: string, notes: Notes) => string | undefined {
  const { ip, redactors, path } = place;
  return (value, notes) => {
    if (value.length > maxLength || !isMarked(value)) return value;
    if (isAddress(value)) {
      const left = redactors.address(value, ip) ?? "[ip]";
      if (left !== value) notes.add(path, "address_reduced");
      return left;
    }
    const found = scrub(value);
    if (found === undefined) return value;
    if (found.email) notes.add(path, "email_removed");
    if (found.address) notes.add(path, "address_removed");
    return found.text;
  };
}

function compileNumber({ type, minimum, maximum, buckets }: NumberType, place: Place): ValueCheck {
  const least = Math.max(minimum ?? Number.NEGATIVE_INFINITY, buckets?.[0] ?? Number.NEGATIVE_INFINITY);
  const most = maximum ?? Number.POSITIVE_INFINITY;
  return (value, notes) => {
    if (typeof value !== "number") return reject(value, "wrong_type", place, notes);
    if (!isExactNumber(value)) return reject(value, "out_of_range", place, notes);
    if (type === "integer" && !Number.isInteger(value)) return reject(value, "wrong_type", place, notes);
    if (value < least || value > most) return reject(value, "out_of_range", place, notes);
    return buckets === undefined ? value : buckets.findLast((bound) => bound <= value);
  };
}

function compileArray({ items, maxItems }: ArrayType, place: Place): ValueCheck {
  const check = compileValue(items, { ...place, path: `${place.path}[]`, level: place.level + 1 });
  return (value, notes) => {
    if (!Array.isArray(value)) return reject(value, "wrong_type", place, notes);
    if (value.length > maxItems) return reject(value, "too_many_items", place, notes);
    const kept = value.map((item) => check(item, notes));
    if (kept.every((item, at) => item === value[at])) return value;
    return kept.filter((item) => item !== undefined);
  };
}
