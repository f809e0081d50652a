import type { ParseReason } from "@candor/envelope";
import type { RefuseReason } from "@candor/plan/runtime";

/**
 * Why a message is not stored, each with the sentence that the maker reads. The code is the contract: it stands in
 * the batch answer, in /metrics and in /api/live. `duplicate` is answered as accepted, because its original is kept.
 */
export const DROP_REASONS = {
  not_an_object: "The message is not a JSON object.",
  unknown_type: "The message's type is none of track, identify, page, screen, group, alias.",
  no_event: "A track message needs a non-empty string as its event.",
  no_user_anon_id:
    "The message names nobody: it needs a userId or an anonymousId (group: or groupId, alias: or previousId).",
  message_id_too_long: "A messageId has fewer than 100 characters.",
  properties_not_object: "The field properties is not a JSON object.",
  traits_not_object: "The field traits is not a JSON object.",
  context_not_object: "The field context is not a JSON object.",
  too_deep: "The message is nested deeper than 32 levels.",
  number_out_of_range:
    "A number in the message could not be kept as it was sent: an integer beyond 9007199254740991, or one too large for a double (such as 1e400). Send it as a string.",
  event_too_large: "The message, with what its batch fills in, has more than 32 KiB.",
  batch_too_large:
    "The batch's context and integrations, which count for each of its messages, have filled 8 MiB before this one.",
  unknown_write_key: "The write key of this message is not known here.",
  event_not_in_plan: "The plan does not declare this event. `candor plan check` knows what it does declare.",
  wrong_source: "The plan declares this event for another source, whose write key it needs.",
  event_expired: "The plan's date for this event has passed.",
  required_missing: "A property that the plan requires is missing, or its value is not as the plan wants it.",
  browser_signal:
    "The browser asked not to be tracked (Sec-GPC or DNT), and the plan collects this event only from people who agreed.",
  duplicate: "A message with this messageId was already received from this source in the last 8 days.",
} as const satisfies { [reason in ParseReason | RefuseReason]: string } & { [reason: string]: string };

export type DropReason = keyof typeof DROP_REASONS;
