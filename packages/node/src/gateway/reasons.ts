/** Owns why a browser's message is not kept. */
import type { Dropped } from "@candor/envelope/http";
import type { MessageReason } from "@candor/envelope/wire";
import type { DropReason } from "../reasons.ts";

/** What does not get as far as the plan, and what the core says of the rest. */
export type DroppedMessage = Dropped<MessageReason | DropReason>;
