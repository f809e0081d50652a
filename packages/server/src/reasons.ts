/** Owns which reasons there are to drop a message: those of the wire, the plan's all among them. */
import { COLLECTOR_REASONS } from "@candor/envelope";
import type { RefuseReason } from "@candor/plan/runtime";

export const DROP_REASONS = COLLECTOR_REASONS satisfies { [reason in RefuseReason]: string };

export type DropReason = keyof typeof DROP_REASONS;
