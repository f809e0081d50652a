/** Decides what of a plan is withheld under a consent for an earlier version. */
import type { Decision } from "./decide.ts";

/**
 * Whether an event or property is withheld: always without a consent, and with one if a later version of the plan
 * added it.
 *
 * @param since the version of the plan that first declared it
 */
export function isWithheld(since: number, decision: Decision): boolean {
  return !(decision.allow && since <= decision.coversVersion);
}
