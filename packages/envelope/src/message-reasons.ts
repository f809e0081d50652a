/** Lists the reasons for which a message is dropped before it is checked against the plan. */
import type { ParseReason } from "./parse.ts";
import type { SizeFault } from "./shared.ts";

/** The reasons, each with a sentence for developers and operators. The code is the contract. */
export const MESSAGE_REASONS = {
  not_an_object: "The message is not a JSON object.",
  unknown_type: "The message's type is not one of track, identify, page, screen, group, alias.",
  no_event: "A track message needs a non-empty string as its event.",
  no_user_anon_id:
    "The message has no id: it needs a userId or an anonymousId (group: or groupId, alias: or previousId).",
  message_id_too_long: "A messageId has fewer than 100 characters.",
  properties_not_object: "The field properties is not a JSON object.",
  traits_not_object: "The field traits is not a JSON object.",
  context_not_object: "The field context is not a JSON object.",
  too_deep: "The message is nested deeper than 32 levels.",
  number_out_of_range:
    "A number in the message could not be kept as it was sent: an integer beyond 9007199254740991, or one too large for a double (such as 1e400). Send it as a string.",
  event_too_large: "The message, including what its batch fills in, is larger than 32 KiB.",
  batch_too_large:
    "The batch's context and integrations, which count for each message, took 8 MiB before this message.",
} as const satisfies { [reason in ParseReason | SizeFault]: string };

export type MessageReason = keyof typeof MESSAGE_REASONS;
