/** Lists every reason for which the collector drops a message. */
import { COLLECTOR_REASONS } from "@candor/envelope";
import type { RefuseReason } from "@candor/plan/runtime";

export const DROP_REASONS = COLLECTOR_REASONS satisfies { [reason in RefuseReason]: string };

export type DropReason = keyof typeof DROP_REASONS;
