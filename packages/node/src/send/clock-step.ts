/** Notices that the machine's clock was set, and keeps the ages of waiting files right. */

import { utimes } from "node:fs/promises";
import type { Clock } from "../clock.ts";
import type { OutboxFile } from "../outbox/outbox-file.ts";

/** A shorter step cannot make a fresh file seven days old. */
const MIN_STEP_MS = 24 * 60 * 60_000;

/** By how much the clock was set, and the range of times that the old one gave since the machine started. */
export interface ClockStep {
  readonly byMs: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Compares the machine's clock with the time since it started, which nobody sets. A device without a battery starts days or
 * years behind, and is put right by the network while the product runs.
 */
export class ClockSteps {
  readonly #clock: Pick<Clock, "now" | "sinceBoot">;
  #before: { readonly nowMs: number; readonly bootMs: number };

  constructor(clock: Pick<Clock, "now" | "sinceBoot">) {
    this.#clock = clock;
    this.#before = this.#read();
  }

  /** The step since the last call; undefined: there was none of a day or more. */
  take(): ClockStep | undefined {
    const { nowMs, bootMs } = this.#before;
    const after = this.#read();
    const untilMs = nowMs + after.bootMs - bootMs;
    const byMs = after.nowMs - untilMs;
    if (Math.abs(byMs) < MIN_STEP_MS) return undefined;
    this.#before = after;
    return { byMs, fromMs: untilMs - after.bootMs, untilMs };
  }

  #read(): { readonly nowMs: number; readonly bootMs: number } {
    return { nowMs: this.#clock.now(), bootMs: this.#clock.sinceBoot() };
  }
}

/**
 * Gives files that were written under the old clock the time that the new one would have given them, so that every process on
 * the folder knows their age. Never rejects: a file that cannot be changed keeps its time.
 */
export async function correctTimes(files: readonly OutboxFile[], step: ClockStep): Promise<void> {
  for (const { path, writtenAtMs } of files) {
    if (writtenAtMs < step.fromMs || writtenAtMs > step.untilMs) continue;
    // Another replica may have done so already: never later than now.
    const writtenAt = new Date(Math.min(writtenAtMs, step.untilMs) + step.byMs);
    await utimes(path, writtenAt, writtenAt).catch(() => undefined);
  }
}
