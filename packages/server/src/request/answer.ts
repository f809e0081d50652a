import type { IncomingMessage, ServerResponse } from "node:http";
import type { CandorError } from "../errors.ts";
import type { Dropped } from "../pipeline.ts";

/** Sent with every answer of the ingest API, as the flat list that node:http writes fastest. */
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

export function sendJson(
  response: ServerResponse,
  status: number,
  body: string,
  extra: readonly string[] = [],
): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, [...JSON_HEADERS, "Content-Length", String(Buffer.byteLength(body)), ...extra]);
  response.end(body);
}

const ACCEPTED = '{"success":true}';
const ACCEPTED_HEADERS = [...JSON_HEADERS, "Content-Length", String(ACCEPTED.length)];

/** 200 for one message. Never an empty body: analytics-java sends again when it finds none. */
export function sendAccepted(response: ServerResponse, dropped: readonly Dropped[]): void {
  if (reportable(dropped).length > 0) sendBatchAccepted(response, 1, dropped);
  else if (!response.headersSent && !response.destroyed) {
    response.writeHead(200, ACCEPTED_HEADERS);
    response.end(ACCEPTED);
  }
}

/** 200 for a batch: what was dropped is told for each message; a duplicate counts as accepted. */
export function sendBatchAccepted(
  response: ServerResponse,
  messages: number,
  dropped: readonly Dropped[],
): void {
  const refused = reportable(dropped);
  sendJson(
    response,
    200,
    JSON.stringify({ success: true, accepted: messages - refused.length, dropped: refused }),
  );
}

export function sendError(response: ServerResponse, error: CandorError): void {
  const retryAfter = error.retryAfterS === undefined ? [] : ["Retry-After", String(error.retryAfterS)];
  const authenticate = error.status === 401 ? ["WWW-Authenticate", 'Basic realm="write key"'] : [];
  const close = isBodyLeft(error) ? ["Connection", "close"] : [];
  const allow = error.allow === undefined ? [] : ["Allow", `${error.allow}, OPTIONS`];
  sendJson(response, error.status, errorBody(error), [...retryAfter, ...authenticate, ...close, ...allow]);
}

/** The connection is closed, because the rest of the body is not read. */
function isBodyLeft({ code }: CandorError): boolean {
  return code === "body_fragmented" || code === "body_timeout";
}

/** Clients of several families read it: Python code and message, Ruby error. */
export function errorBody(error: CandorError): string {
  return JSON.stringify({ success: false, code: error.code, message: error.message, error: error.message });
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

/** Other families' clients ask for headers of their own: those are allowed, if they are header names at all. */
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

/** Resolves once the client has read the answer or is gone. After `maxMs` its connection is cut. */
export async function untilRead(response: ServerResponse, maxMs: number): Promise<void> {
  if (response.destroyed || response.closed) return;
  const cut = setTimeout(() => response.destroy(), maxMs).unref();
  await new Promise((resolve) => response.once("close", resolve));
  clearTimeout(cut);
}

function reportable(dropped: readonly Dropped[]): readonly Dropped[] {
  return dropped.length === 0 ? dropped : dropped.filter((entry) => entry.reason !== "duplicate");
}
