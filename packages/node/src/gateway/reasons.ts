import type { DropReason } from "../reasons.ts";

/** Why a message does not get as far as the plan, each with the sentence for the operator. The codes are the collector's. */
export const INTAKE_REASONS = {
  not_an_object: "The message is not a JSON object.",
  unknown_type: "The message's type is none of track, identify, page, screen, group.",
  no_event: "A track message needs a non-empty string as its event.",
  no_user_anon_id: "The message names nobody: it needs a userId or an anonymousId (group: or groupId).",
  message_id_too_long: "A messageId has fewer than 100 characters.",
  properties_not_object: "The field properties is not a JSON object.",
  traits_not_object: "The field traits is not a JSON object.",
  context_not_object: "The field context is not a JSON object.",
  number_out_of_range:
    "A number in the message could not be kept as it was sent: an integer beyond 9007199254740991, or one too large for a double.",
  too_deep: "The message is nested deeper than 32 levels.",
  event_too_large: "The message, with what its batch fills in, has more than 32 KiB.",
  batch_too_large:
    "The batch's context, which counts for each of its messages, has filled 8 MiB before this one.",
} as const satisfies { [reason: string]: string };

export type IntakeReason = keyof typeof INTAKE_REASONS;

/** One message that was not kept, as the answer tells it. */
export interface DroppedMessage {
  /** Its place in the batch, from 0. */
  readonly index: number;
  /** As the browser sent it, so that it finds its message again. */
  readonly messageId: string | null;
  readonly reason: IntakeReason | DropReason;
}
