/** Builds the answers that clients of the Segment family understand. */
import type { ServerResponse } from "node:http";
import type { CodedError } from "./errors.ts";
import { isObject } from "./message.ts";

/**
 * @param headers alternating names and values, the flat list that node:http writes fastest; without Content-Length
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

/** The answer to a single message. Never an empty body: analytics-java retries when it finds none. */
export const ACCEPTED_BODY = '{"success":true}';

/** A message that was not kept, as reported to its client. */
export interface Dropped<Reason extends string = string> {
  /** Position in the batch, from 0. */
  readonly index: number;
  /** As the client sent it, so that the client can find its message; null if it sent none. */
  readonly messageId: string | null;
  readonly reason: Reason;
}

/** The answer to a batch, or to a single message that was dropped. */
export function toAcceptedBody(messages: number, dropped: readonly Dropped[]): string {
  return JSON.stringify({ success: true, accepted: messages - dropped.length, dropped });
}

export function sentMessageId(message: unknown): string | null {
  return isObject(message) && typeof message.messageId === "string" ? message.messageId : null;
}

/** Several client families read this body: Python reads `code` and `message`, Ruby reads `error`. */
export function errorBody({ code, message }: CodedError): string {
  return JSON.stringify({ success: false, code, message, error: message });
}

/** Alternating names and values. @param alsoAllowed a further method for Allow */
export function errorHeaders({ code, retryAfterS, allow }: CodedError, alsoAllowed?: string): string[] {
  const headers: string[] = [];
  if (retryAfterS !== undefined) headers.push("Retry-After", String(retryAfterS));
  // The rest of such a body is not read.
  if (code === "body_fragmented" || code === "body_timeout") headers.push("Connection", "close");
  if (allow !== undefined)
    headers.push("Allow", alsoAllowed === undefined ? allow : `${allow}, ${alsoAllowed}`);
  return headers;
}

export interface BrowserClient {
  readonly apiKey: string;
  readonly protocol: string;
  /** Host and path, such as `example.org/telemetry/v1`. */
  readonly apiHost: string;
  /** Whether anything this client sends would be kept. Default: true. */
  readonly isAllowed?: boolean;
}

/** No retries: the client gives up each event before sending it. */
const NEVER = { httpConfig: { backoffConfig: { maxRetryCount: 0 } } };

/**
 * The settings that analytics-next loads first. They direct its events to this host and turn off its metrics about
 * itself, which go to Segment by default. Without `integrations` its `track()` never resolves, and with an empty
 * `integrations` it sends every event to Segment, so a client whose events would not be kept gets these settings too.
 */
export function browserSettings({ apiKey, protocol, apiHost, isAllowed = true }: BrowserClient): string {
  const segment = { apiKey, apiHost, protocol, ...(isAllowed ? {} : NEVER) };
  return JSON.stringify({ integrations: { "Segment.io": segment }, metrics: { sampleRate: 0 } });
}
