import type { Decision } from "./decide.ts";

/**
 * Whether an event or a property is held back under a decision: all of it without a consent, with one what a later
 * version of the plan added.
 *
 * @param since The version of the plan that first declared it.
 */
export function isWithheld(since: number, decision: Decision): boolean {
  return !(decision.allow && since <= decision.coversVersion);
}
