/**
 * Builds the gateway's answers to browsers, lists why the gateway refuses requests, and counts what it
 * rejected.
 */
import type { ServerResponse } from "node:http";
import {
  ACCEPTED_BODY,
  CodedError,
  type Dropped,
  type ErrorDetails,
  type ErrorEntry,
  errorBody,
  errorHeaders,
  sendJson as send,
  toAcceptedBody,
  WIRE_ERRORS,
} from "@candor/envelope/http";
import type { MessageReason } from "@candor/envelope/wire";
import type { DropReason } from "../reasons.ts";

/** There are no CORS headers, because pages of other origins must not use the gateway. */
const HEADERS = [
  ...["Content-Type", "application/json; charset=utf-8"],
  ...["Cache-Control", "no-store"],
  ...["X-Content-Type-Options", "nosniff"],
  ...["Cross-Origin-Resource-Policy", "same-origin"],
];

export function sendJson(response: ServerResponse, body: string): void {
  send(response, 200, body, HEADERS);
}

/**
 * Answers a request whose messages were processed. For a batch, or if a message was dropped, the answer says
 * how many were accepted, and lists those dropped.
 */
export function sendTaken(
  response: ServerResponse,
  { isBatch, messages, dropped }: { isBatch: boolean; messages: number; dropped: readonly DroppedMessage[] },
): void {
  const isTold = isBatch || dropped.length > 0;
  sendJson(response, isTold ? toAcceptedBody(messages, dropped) : ACCEPTED_BODY);
}

const NOT_ALLOWED_BODY = JSON.stringify({ success: true, accepted: 0, reason: "no_consent" });

/**
 * Answers a request whose messages may not be accepted now. The 200 keeps clients from sending the request
 * again; `accepted` and `reason` say that nothing was kept. The messages are not listed, because they were
 * not read.
 */
export function sendNotAllowed(response: ServerResponse): void {
  sendJson(response, NOT_ALLOWED_BODY);
}

export function sendFault(response: ServerResponse, fault: GatewayFault): void {
  send(response, fault.status, errorBody(fault), [...HEADERS, ...errorHeaders(fault)]);
}

/** Why a whole request is refused. If the collector has the same reason, its code is the same. */
const GATEWAY_FAULTS = {
  ...WIRE_ERRORS,
  not_found: { status: 404, message: "There is nothing at this address of the gateway." },
  not_same_origin: {
    status: 403,
    message:
      "The gateway accepts only messages from pages of its own origin. A proxy before it must pass on Host or set X-Forwarded-Host.",
  },
  answer_invalid: { status: 400, message: '`answer` is "yes" or "no".' },
  too_many_requests: {
    status: 429,
    retryAfterS: 1,
    message: "Too many messages arrive. Send them again a little later.",
  },
  internal: { status: 500, message: "The gateway failed unexpectedly." },
} as const satisfies { [code: string]: ErrorEntry };

export type GatewayFaultCode = keyof typeof GATEWAY_FAULTS;

export class GatewayFault extends CodedError<GatewayFaultCode> {
  constructor(code: GatewayFaultCode, details?: ErrorDetails) {
    super(code, GATEWAY_FAULTS[code], details);
    this.name = "GatewayFault";
  }
}

/** A message that was dropped: by the gateway, which could not read it, or by the core. */
export type DroppedMessage = Dropped<MessageReason | DropReason>;

/**
 * The requests and messages that a gateway has rejected, without their content. `status()` counts the
 * messages that were dropped later.
 */
export interface GatewayReport {
  /**
   * Whole requests. `no_consent`: telemetry was off, consent was missing or refused, or the person's browser
   * objected.
   */
  readonly requests: Readonly<Partial<Record<GatewayFaultCode | "no_consent", number>>>;
  readonly messages: Readonly<Partial<Record<MessageReason, number>>>;
}

export class GatewayCounts {
  readonly #requests = new Map<GatewayFaultCode | "no_consent", number>();
  readonly #messages = new Map<MessageReason, number>();

  refuse(code: GatewayFaultCode | "no_consent"): void {
    this.#requests.set(code, (this.#requests.get(code) ?? 0) + 1);
  }

  /** Counts a message that never reached the core, which counts those that it drops. */
  drop(reason: MessageReason): void {
    this.#messages.set(reason, (this.#messages.get(reason) ?? 0) + 1);
  }

  report(): GatewayReport {
    return { requests: Object.fromEntries(this.#requests), messages: Object.fromEntries(this.#messages) };
  }
}
