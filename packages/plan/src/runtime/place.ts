/** Defines what all checks of values share, and handles values that do not fit. */
import { type JsonValue, valueFaultOf } from "@candor/envelope/wire";
import type { IpPolicy, UserAgentPolicy } from "../plan.ts";
import type { Notes } from "./notes.ts";
import { scrubValue } from "./scrub-value.ts";
import type { TrimReason } from "./verdict.ts";

/**
 * Checks a value. Returns it unchanged (the same object if nothing in it changed) or redacted, or returns
 * undefined if nothing of it is kept. In an object that belongs to the message alone (see `isOwn`), values
 * are replaced in place.
 */
export type ValueCheck = (value: JsonValue, notes: Notes) => JsonValue | undefined;

/** How an SDK or a collector redacts addresses and user agents, and hashes ids and values. */
export interface Redactors {
  /** Redacts an IP address by a policy; undefined if nothing of the address is kept. */
  address(address: string, policy: IpPolicy): string | undefined;
  userAgent(userAgent: string, policy: UserAgentPolicy): string | undefined;
  /**
   * The keyed hash of an id that does not have the declared form; in a collector, also of a hash that was
   * received.
   */
  pseudonym(value: string): string;
  /**
   * For an SDK: the hash that replaces a value with `hash: true`, as lower-case hex of 32 to 64 characters.
   * If this function is missing, as in a collector, such a value must already be a hash.
   */
  keyedHash?(value: string): string;
}

/** The place of a value, and the rules of its source. */
export interface Place {
  readonly path: string;
  /** The nesting level of the value. The message is level 1. */
  readonly level: number;
  readonly ip: IpPolicy;
  readonly userAgent: UserAgentPolicy;
  /** Whether the value belongs to this message alone, so that values in it may be replaced in place. */
  readonly isOwn: boolean;
  /**
   * Whether the source is in mode `observe`: a value that breaks the plan is noted but kept, with addresses
   * cut out.
   */
  readonly observe: boolean;
  readonly redactors: Redactors;
}

/**
 * Notes why a value does not fit. Returns what is kept of the value: nothing, unless the source observes and
 * the message has no `ValueFault`.
 */
export function reject(
  value: JsonValue,
  reason: TrimReason,
  place: Place,
  notes: Notes,
): JsonValue | undefined {
  notes.add(place.path, reason);
  notes.fault ??= valueFaultOf(value, place.level);
  return place.observe && notes.fault === undefined ? scrubValue(value, place) : undefined;
}
