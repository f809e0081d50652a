/** Collects what the check of one message finds. */
import type { ValueFault } from "@candor/envelope/wire";
import type { Trim, TrimReason } from "./verdict.ts";

const NOTHING: readonly Trim[] = Object.freeze([]);

/**
 * What checking a message found: its trims, and any fault. One object is reused for all messages; `take`
 * resets it.
 */
export class Notes {
  #trims: Trim[] | undefined;
  /** Whether a required field is missing or was removed. */
  isRequiredMissing = false;
  /** Why the message must be dropped: what is wrong with one of its undeclared or rejected values. */
  fault: ValueFault | undefined = undefined;

  /**
   * Notes a trim. Each path and reason is noted only once, because a message may contain thousands of
   * undeclared names.
   */
  add(path: string, reason: TrimReason): void {
    this.#trims ??= [];
    if (this.#trims.some((trim) => trim.path === path && trim.reason === reason)) return;
    this.#trims.push({ path, reason });
  }

  /** Returns the trims that were noted, and resets the object. */
  take(): readonly Trim[] {
    const trims = this.#trims ?? NOTHING;
    this.#trims = undefined;
    this.isRequiredMissing = false;
    this.fault = undefined;
    return trims;
  }
}
