/** Decides whether a consent leaves an event or property of the plan withheld. */
import type { Decision } from "./decide.ts";

/**
 * Whether an event or property is withheld. Without a consent, everything is withheld. With one, only what a
 * later version of the plan added is withheld.
 *
 * @param since the version of the plan that first declared the event or property
 */
export function isWithheld(since: number, decision: Decision): boolean {
  return !(decision.allow && since <= decision.coversVersion);
}
