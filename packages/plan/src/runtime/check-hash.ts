/** Compiles how values and ids with `hash: true` are hashed, and how received hashes are checked. */
import type { StringCheck } from "./check-string.ts";
import type { Notes } from "./notes.ts";
import { type Place, reject, type ValueCheck } from "./place.ts";

/** The maximum length of a value that is hashed, in UTF-16 code units. */
const MAX_HASHED_LENGTH = 1024;

/**
 * Compiles how an SDK hashes the value at a place; undefined in a collector. Even a value that looks like a
 * hash is hashed. A value that is too long is removed, also in mode `observe`, because it may identify a
 * person.
 */
export function compileKeyedHash({ redactors, path }: Place): KeyedHash | undefined {
  const { keyedHash } = redactors;
  if (keyedHash === undefined) return undefined;
  return (value, notes) => {
    if (value.length <= MAX_HASHED_LENGTH) return keyedHash.call(redactors, value);
    notes.add(path, "too_long");
    return undefined;
  };
}

export type KeyedHash = (value: string, notes: Notes) => string | undefined;

export function compileHashed(keyedHash: KeyedHash, { path }: Place): ValueCheck {
  return (value, notes) => {
    if (typeof value === "string") return keyedHash(value, notes);
    notes.add(path, "wrong_type");
    return undefined;
  };
}

/**
 * Compiles the check of a hashed field for a collector. A collector cannot tell whether the sender used a
 * key, so it hashes the received value once more, under its own key.
 */
export function compileSentHash(check: StringCheck, place: Place): ValueCheck {
  const { redactors } = place;
  return (value, notes) => {
    if (typeof value !== "string") return reject(value, "wrong_type", place, notes);
    const fault = check(value);
    return fault === undefined ? redactors.pseudonym(value) : reject(value, fault, place, notes);
  };
}
