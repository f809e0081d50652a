/** Owns the counts of what a gateway turned away. */
import { MESSAGE_REASONS, type MessageReason } from "@candor/envelope/wire";
import type { GatewayFaultCode } from "./faults.ts";
import type { DroppedMessage } from "./reasons.ts";

/** What a gateway turned away. What got as far as the plan is counted in `status()`. Nothing of a message is in it. */
export interface GatewayReport {
  /** Whole requests; `no_consent`: telemetry was off, nobody said Yes, or the person's browser refuses. */
  readonly requests: Readonly<Partial<Record<GatewayFaultCode | "no_consent", number>>>;
  readonly messages: Readonly<Partial<Record<MessageReason, number>>>;
}

export class GatewayCounts {
  readonly #requests = new Map<GatewayFaultCode | "no_consent", number>();
  readonly #messages = new Map<MessageReason, number>();

  refuse(code: GatewayFaultCode | "no_consent"): void {
    this.#requests.set(code, (this.#requests.get(code) ?? 0) + 1);
  }

  /** Counts those that did not get as far as the plan: the core has counted the others. */
  drop(dropped: readonly DroppedMessage[]): void {
    for (const { reason } of dropped) {
      if (isMessageReason(reason)) this.#messages.set(reason, (this.#messages.get(reason) ?? 0) + 1);
    }
  }

  report(): GatewayReport {
    return { requests: Object.fromEntries(this.#requests), messages: Object.fromEntries(this.#messages) };
  }
}

function isMessageReason(reason: DroppedMessage["reason"]): reason is MessageReason {
  return Object.hasOwn(MESSAGE_REASONS, reason);
}
