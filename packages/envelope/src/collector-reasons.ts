/**
 * Lists the reasons for which a collector drops a message, for its answers and for explanations to developers
 * and operators.
 */
import { MESSAGE_REASONS } from "./message-reasons.ts";

/**
 * The reasons for which a message is not stored, each with a sentence for developers and operators. The code
 * is the contract: it appears in the batch answer, in /metrics and in /api/live. A `duplicate` is answered as
 * accepted, because the original message is kept.
 */
export const COLLECTOR_REASONS = {
  ...MESSAGE_REASONS,
  unknown_write_key: "The write key of this message is unknown.",
  event_not_in_plan: "The plan does not declare this event. The public page lists what it declares.",
  wrong_source: "The plan declares this event for another source, whose write key it needs.",
  event_expired: "The plan's date for this event has passed.",
  required_missing: "A property that the plan requires is missing, or its value is invalid.",
  browser_signal:
    "The browser asked not to be tracked (Sec-GPC or DNT), and the plan collects this event only from people who agreed.",
  duplicate: "A message with this messageId was already received from this source in the last 8 days.",
} as const satisfies { [reason: string]: string };
