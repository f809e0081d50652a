import type { ServerResponse } from "node:http";
import { GATEWAY_FAULTS, type GatewayFault } from "./faults.ts";
import type { DroppedMessage } from "./reasons.ts";

/** No CORS headers: pages of other origins have no business here. */
const HEADERS = {
  "Content-Type": "application/json; charset=utf-8",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "same-origin",
};

export function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, { ...HEADERS, "Content-Length": Buffer.byteLength(text), ...headers });
  response.end(text);
}

/** What became of the messages of a request, as the collector says it. Never an empty body: clients send again then. */
export function sendTaken(
  response: ServerResponse,
  { isBatch, messages, dropped }: { isBatch: boolean; messages: number; dropped: readonly DroppedMessage[] },
): void {
  const told = isBatch || dropped.length > 0 ? { accepted: messages - dropped.length, dropped } : {};
  sendJson(response, 200, { success: true, ...told });
}

/**
 * Nobody agreed to be measured, or this person's browser refuses. The 200 has clients stop sending it again; `accepted` and
 * `reason` say that nothing was kept. The messages are not listed, because they are not read.
 */
export function sendNotAllowed(response: ServerResponse): void {
  sendJson(response, 200, { success: true, accepted: 0, reason: "no_consent" });
}

/** Clients of several families read it: Python code and message, Ruby error. */
export function sendFault(response: ServerResponse, { code, retryAfterS }: GatewayFault): void {
  const { status, message } = GATEWAY_FAULTS[code];
  const headers = {
    ...(retryAfterS === undefined ? {} : { "Retry-After": String(retryAfterS) }),
    ...(code === "method_not_allowed" ? { Allow: "GET, POST" } : {}),
    // The rest of such a body is not waited for.
    ...(code === "body_timeout" || code === "body_fragmented" ? { Connection: "close" } : {}),
  };
  sendJson(response, status, { success: false, code, message, error: message }, headers);
}
