/** Owns the headers and forms of the gateway's answers to browsers. */
import type { ServerResponse } from "node:http";
import {
  ACCEPTED_BODY,
  errorBody,
  errorHeaders,
  sendJson as send,
  toAcceptedBody,
} from "@candor/envelope/http";
import type { GatewayFault } from "./faults.ts";
import type { DroppedMessage } from "./reasons.ts";

/** No CORS headers: pages of other origins have no business here. */
const HEADERS = [
  ...["Content-Type", "application/json; charset=utf-8"],
  ...["Cache-Control", "no-store"],
  ...["X-Content-Type-Options", "nosniff"],
  ...["Cross-Origin-Resource-Policy", "same-origin"],
];

export function sendJson(response: ServerResponse, body: string): void {
  send(response, 200, body, HEADERS);
}

/** What became of the messages of a request. */
export function sendTaken(
  response: ServerResponse,
  { isBatch, messages, dropped }: { isBatch: boolean; messages: number; dropped: readonly DroppedMessage[] },
): void {
  const isTold = isBatch || dropped.length > 0;
  sendJson(response, isTold ? toAcceptedBody(messages, dropped) : ACCEPTED_BODY);
}

const NOT_ALLOWED_BODY = JSON.stringify({ success: true, accepted: 0, reason: "no_consent" });

/**
 * Nobody agreed to be measured, or this person's browser refuses. The 200 has clients stop sending it again; `accepted` and
 * `reason` say that nothing was kept. The messages are not listed, because they are not read.
 */
export function sendNotAllowed(response: ServerResponse): void {
  sendJson(response, NOT_ALLOWED_BODY);
}

export function sendFault(response: ServerResponse, fault: GatewayFault): void {
  send(response, fault.status, errorBody(fault), [...HEADERS, ...errorHeaders(fault)]);
}
