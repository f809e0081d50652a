/** Sends the answers of the ingest API. */
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  ACCEPTED_BODY,
  errorBody,
  errorHeaders,
  sendJson as send,
  toAcceptedBody,
} from "@candor/envelope/http";
import type { CandorError } from "../errors.ts";
import type { Dropped } from "../pipeline.ts";

/** Headers of every answer of the ingest API, as the flat list that node:http writes fastest. */
const COMMON_HEADERS = [
  "Access-Control-Allow-Origin",
  "*",
  "Access-Control-Expose-Headers",
  "Retry-After",
  "Cache-Control",
  "no-store",
  "X-Content-Type-Options",
  "nosniff",
  "Cross-Origin-Resource-Policy",
  "cross-origin",
] as const;
const JSON_HEADERS = [...COMMON_HEADERS, "Content-Type", "application/json; charset=utf-8"];

const ALLOWED_HEADERS = "Authorization, Content-Type, Content-Encoding, X-Retry-Count";
const GIF = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");

export function sendJson(response: ServerResponse, status: number, body: string): void {
  send(response, status, body, JSON_HEADERS);
}

const ACCEPTED_HEADERS = [...JSON_HEADERS, "Content-Length", String(ACCEPTED_BODY.length)];

/**
 * Answers 200 to a single message, even if it was dropped; then the body has the reason. A duplicate counts
 * as accepted.
 */
export function sendAccepted(response: ServerResponse, dropped: readonly Dropped[]): void {
  if (reportable(dropped).length > 0) sendBatchAccepted(response, 1, dropped);
  else if (!response.headersSent && !response.destroyed) {
    response.writeHead(200, ACCEPTED_HEADERS);
    response.end(ACCEPTED_BODY);
  }
}

/** Answers 200 to a batch, and lists the dropped messages. A duplicate counts as accepted. */
export function sendBatchAccepted(
  response: ServerResponse,
  messages: number,
  dropped: readonly Dropped[],
): void {
  sendJson(response, 200, toAcceptedBody(messages, reportable(dropped)));
}

export function sendError(response: ServerResponse, error: CandorError): void {
  const authenticate = error.status === 401 ? ["WWW-Authenticate", 'Basic realm="write key"'] : [];
  const headers = [...JSON_HEADERS, ...errorHeaders(error, "OPTIONS"), ...authenticate];
  send(response, error.status, errorBody(error), headers);
}

export function sendPixel(response: ServerResponse): void {
  response.writeHead(200, [
    ...COMMON_HEADERS,
    "Content-Type",
    "image/gif",
    "Content-Length",
    String(GIF.length),
  ]);
  response.end(GIF);
}

/**
 * Answers a CORS preflight. Other vendors' clients request further headers, which are allowed if they are
 * valid header names.
 */
export function sendPreflight(request: IncomingMessage, response: ServerResponse): void {
  const asked = request.headers["access-control-request-headers"];
  const more = asked !== undefined && /^[\w\-!#$%&'*+.^`|~, ]{1,1000}$/.test(asked) ? `, ${asked}` : "";
  response.writeHead(204, [
    ...COMMON_HEADERS,
    "Access-Control-Allow-Methods",
    "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers",
    ALLOWED_HEADERS + more,
    "Access-Control-Max-Age",
    "86400",
    "Vary",
    "Access-Control-Request-Headers",
  ]);
  response.end();
}

/** Resolves once the client has read the answer or has disconnected. Closes the connection after `maxMs`. */
export async function untilRead(response: ServerResponse, maxMs: number): Promise<void> {
  if (response.destroyed || response.closed) return;
  const cut = setTimeout(() => response.destroy(), maxMs).unref();
  await new Promise((resolve) => response.once("close", resolve));
  clearTimeout(cut);
}

function reportable(dropped: readonly Dropped[]): readonly Dropped[] {
  return dropped.length === 0 ? dropped : dropped.filter((entry) => entry.reason !== "duplicate");
}
