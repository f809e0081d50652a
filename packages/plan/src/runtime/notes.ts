/** Collects what is noted while a message is checked. */
import type { ValueFault } from "@candor/envelope/wire";
import type { Trim, TrimReason } from "./verdict.ts";

const NOTHING: readonly Trim[] = Object.freeze([]);

/** What is noted while one message is checked. One object serves all messages, one after the other. */
export class Notes {
  #trims: Trim[] | undefined;
  /** A required field is missing, or was removed. */
  isRequiredMissing = false;
  /** What is wrong with a value that the plan does not describe: the message cannot be kept. */
  fault: ValueFault | undefined = undefined;

  /** Each path and reason is noted once: a message may contain thousands of undeclared names. */
  add(path: string, reason: TrimReason): void {
    this.#trims ??= [];
    if (this.#trims.some((trim) => trim.path === path && trim.reason === reason)) return;
    this.#trims.push({ path, reason });
  }

  /** Returns what was noted, and starts over. */
  take(): readonly Trim[] {
    const trims = this.#trims ?? NOTHING;
    this.#trims = undefined;
    this.isRequiredMissing = false;
    this.fault = undefined;
    return trims;
  }
}
