/** Reads a browser's privacy signals: Global Privacy Control and Do Not Track. */
import type { Signals } from "./facts.ts";

/**
 * Whether the browser sends Global Privacy Control. Compares exactly, because the standard gives no other
 * value a meaning.
 */
export function isGlobalPrivacyControl(signals: Signals | undefined): boolean {
  return signals?.globalPrivacyControl === true || signals?.secGpc === "1";
}

export function isToldNotToTrack(signals: Signals | undefined): boolean {
  return signals?.doNotTrack === "1" || signals?.dnt?.trim() === "1";
}
