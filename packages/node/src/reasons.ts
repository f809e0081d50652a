/** Lists the SDK's reasons: why a message was dropped, and why telemetry is off. */

/** Why the SDK dropped a message, each reason with a sentence for the operator. */
export const DROP_REASONS = {
  off: "Telemetry is off.",
  event_not_in_plan: "The plan does not declare this event.",
  wrong_source: "The plan declares this event for another source.",
  event_expired: "The plan's date for this event has passed.",
  required_missing: "A property that the plan requires is missing or invalid.",
  too_deep: "The message is nested deeper than 32 levels.",
  number_out_of_range:
    "A number in the message cannot be sent as it is: an integer beyond 9007199254740991, or one too large for a double. Send it as a string.",
  withheld: "Nobody has agreed to this event yet: it is newer than the answer, or needs a Yes.",
  no_user_anon_id: "It has no id that the plan declares: declare anonymousId, or userId, for its source.",
  event_too_large: "The message is larger than 32 KiB.",
  unreadable: "Its properties cannot be written as JSON.",
  too_many:
    "More than the plan's `max_per_minute` of this event. The next message of it says how many were skipped.",
  outbox_slow: "The disk takes lines too slowly.",
  outbox_unwritable: "The state folder cannot be written to, or its disk is full.",
} as const satisfies { [reason: string]: string };

export type DropReason = keyof typeof DROP_REASONS;

/** Why the SDK is off, apart from the reasons that `@candor/consent` gives. */
export const OFF_REASONS = {
  options_invalid: "The options passed to createTelemetry() are invalid.",
  state_unwritable: "The state folder cannot be written to, or its disk is full.",
  closed: "The product closed telemetry.",
  no_events: "The plan declares no event that could be sent from here.",
} as const satisfies { [reason: string]: string };

export type OffReason = keyof typeof OFF_REASONS;

/**
 * Sentences for the product's `debug`, for each reason that means that something cannot be read or is not
 * known yet.
 */
export const UNREADABLE: { readonly [reason: string]: string } = {
  receipt_unreadable:
    "receipts.ndjson of the state folder cannot be read, or one of its lines is malformed; telemetry is off until it can.",
  product_undecided:
    "`allowed`, which createTelemetry was given, has returned neither true nor false; telemetry is off until it does.",
  policy_unreadable:
    "The policy of this machine, /etc/candor/policy, cannot be read, or one of its lines is invalid; telemetry is off until that is corrected.",
};
