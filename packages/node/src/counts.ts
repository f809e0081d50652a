/** Counts what this process kept, dropped and trimmed. */
import type { Trim } from "@candor/plan/runtime";
import type { DropReason } from "./reasons.ts";

/** What this process kept and dropped since it began. Names are the plan's; nothing of a message is included. */
export interface CountsReport {
  /** Messages that were put into the outbox. */
  readonly kept: number;
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  /** Values removed from kept messages: from path and reason, `properties.code not_in_enum`, to number. */
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
