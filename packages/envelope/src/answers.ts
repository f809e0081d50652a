/** Builds the answers that Segment's client libraries, and those derived from them, understand. */
import type { ServerResponse } from "node:http";
import type { CodedError } from "./errors.ts";
import { isObject } from "./message.ts";

/**
 * Sends a JSON answer. Does nothing if the headers were already sent or the connection is gone.
 * @param headers alternating names and values in a flat list, which node:http writes fastest. Content-Length
 * is added.
 */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: string,
  headers: readonly string[],
): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, [...headers, "Content-Length", String(Buffer.byteLength(body))]);
  response.end(body);
}

/**
 * The body of the answer to a single message that was accepted. Not empty, because analytics-java retries
 * after an empty body.
 */
export const ACCEPTED_BODY = '{"success":true}';

/** A message that was not kept, as reported to its client. */
export interface Dropped<Reason extends string = string> {
  /** The message's position in the batch, from 0. */
  readonly index: number;
  /** The id as the client sent it, so that the client can find the message; null if the client sent none. */
  readonly messageId: string | null;
  readonly reason: Reason;
}

/** The body of the answer to a batch, or to a single message that was dropped. */
export function toAcceptedBody(messages: number, dropped: readonly Dropped[]): string {
  return JSON.stringify({ success: true, accepted: messages - dropped.length, dropped });
}

export function sentMessageId(message: unknown): string | null {
  return isObject(message) && typeof message.messageId === "string" ? message.messageId : null;
}

/**
 * The body of an error. Client libraries read different fields: Python reads `code` and `message`, Ruby reads
 * `error`.
 */
export function errorBody({ code, message }: CodedError): string {
  return JSON.stringify({ success: false, code, message, error: message });
}

/**
 * The headers of an error, as alternating names and values.
 * @param alsoAllowed a further method for the Allow header
 */
export function errorHeaders({ code, retryAfterS, allow }: CodedError, alsoAllowed?: string): string[] {
  const headers: string[] = [];
  if (retryAfterS !== undefined) headers.push("Retry-After", String(retryAfterS));
  // The connection cannot be reused, because the rest of such a body is not read.
  if (code === "body_fragmented" || code === "body_timeout") headers.push("Connection", "close");
  if (allow !== undefined)
    headers.push("Allow", alsoAllowed === undefined ? allow : `${allow}, ${alsoAllowed}`);
  return headers;
}

export interface BrowserClient {
  readonly apiKey: string;
  readonly protocol: string;
  /** The host and path, such as `example.org/telemetry/v1`. */
  readonly apiHost: string;
  /** Whether the collector would keep anything that this client sends. Default: true. */
  readonly isAllowed?: boolean;
}

/**
 * Settings with which analytics-next gives up each event without sending it, because no attempt is allowed.
 */
const NEVER = { httpConfig: { backoffConfig: { maxRetryCount: 0 } } };

/**
 * The settings that analytics-next loads first. They direct its events to this host, and turn off metrics
 * about analytics-next itself, which it sends to Segment by default. Without `integrations`, its `track()`
 * never resolves. With an empty `integrations`, it sends every event to Segment. Therefore a client whose
 * events would not be kept gets these settings too, with NEVER added.
 */
export function browserSettings({ apiKey, protocol, apiHost, isAllowed = true }: BrowserClient): string {
  const segment = { apiKey, apiHost, protocol, ...(isAllowed ? {} : NEVER) };
  return JSON.stringify({ integrations: { "Segment.io": segment }, metrics: { sampleRate: 0 } });
}
