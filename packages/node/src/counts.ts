/** Counts the messages that were kept or dropped, and the values that were trimmed. */
import type { Trim } from "@candor/plan/runtime";
import type { DropReason } from "./reasons.ts";

/**
 * How many messages this process has kept and dropped, and how many values it has trimmed. No part of a
 * message is included.
 */
export interface CountsReport {
  /** The number of messages accepted for the outbox, or printed in `log` mode. */
  readonly kept: number;
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  /**
   * The number of values removed from kept messages, by path and reason, such as `properties.code
   * not_in_enum`.
   */
  readonly trimmed: Readonly<Record<string, number>>;
}

export class Counts {
  #kept = 0;
  readonly #dropped = new Map<DropReason, number>();
  readonly #trimmed = new Map<string, number>();

  keep(trims: readonly Trim[]): void {
    this.#kept += 1;
    for (const { path, reason } of trims) add(this.#trimmed, `${path} ${reason}`, 1);
  }

  drop(reason: DropReason, messages = 1): void {
    add(this.#dropped, reason, messages);
  }

  report(): CountsReport {
    return {
      kept: this.#kept,
      dropped: Object.fromEntries(this.#dropped),
      trimmed: Object.fromEntries(this.#trimmed),
    };
  }
}

function add<Key>(counts: Map<Key, number>, key: Key, more: number): void {
  counts.set(key, (counts.get(key) ?? 0) + more);
}
