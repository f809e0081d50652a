/** Lists the reasons to drop a message: those of parsing and of the plan. */
import { COLLECTOR_REASONS } from "@candor/envelope";
import type { RefuseReason } from "@candor/plan/runtime";

export const DROP_REASONS = COLLECTOR_REASONS satisfies { [reason in RefuseReason]: string };

export type DropReason = keyof typeof DROP_REASONS;
