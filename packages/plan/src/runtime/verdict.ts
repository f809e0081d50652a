/** Defines the verdict, which is what the plan says about one message. */
import type { ValueFault } from "@candor/envelope/wire";

/**
 * Why a value was removed or changed, or would have been in mode `enforce`. A closed union. Each reason has a
 * sentence for developers and operators.
 */
export const TRIM_REASONS = {
  undeclared: "The plan does not declare it.",
  wrong_type: "It is not of the declared type.",
  too_long: "It is longer than the plan allows.",
  not_in_enum: "It is not one of the declared values.",
  pattern_mismatch: "It does not match the declared pattern.",
  out_of_range: "It is outside of the declared range.",
  not_hashed: "The plan requires a keyed hash here: lower-case hex of 32 to 64 characters.",
  too_many_items: "The list is longer than the plan allows.",
  email_removed: "An e-mail address was cut out of the text.",
  address_removed: "An IP address was cut out of the text.",
  address_reduced:
    "The whole value looks like an IP address, so the source's IP policy was applied to it. If it is a version, write `format: version`.",
  id_replaced: "The id does not match the plan and was replaced by its keyed hash.",
  unreadable_time:
    "The time could not be read, and the time at which the collector received the message was used instead. Write RFC 3339, such as 2026-01-31T08:05:52.726Z.",
} as const satisfies { [reason: string]: string };

export type TrimReason = keyof typeof TRIM_REASONS;

/** Why a whole message is dropped. */
export type RefuseReason =
  | "event_not_in_plan"
  | "wrong_source"
  | "event_expired"
  | "required_missing"
  | ValueFault;

/**
 * One value for which there is a `TrimReason`. `path` contains no name that a client chose, because such a
 * name may contain anything: undeclared names are noted under their nearest declared parent (`properties.*`).
 */
export interface Trim {
  readonly path: string;
  readonly reason: TrimReason;
}

/** What the plan says about one message. */
export interface Verdict {
  /** The label of the declared event (see `labelOf`); `*` for an event that is not in the plan. */
  readonly event: string;
  /**
   * Why the message is dropped; undefined if the rest of the message is kept. In mode `observe`, a message is
   * dropped only for a `ValueFault`.
   */
  readonly refused: RefuseReason | undefined;
  readonly trims: readonly Trim[];
  /** A contact that was removed to be stored separately; undefined for nearly all messages. */
  readonly contact: Contact | undefined;
}

/** A contact that a person gave, and only the values that the plan keeps with it. */
export interface Contact {
  readonly contact: string;
  /** Maps the names of declared fields to their values. */
  readonly about: Readonly<Record<string, string | number | boolean>>;
}
