/** Owns the answers that clients of the Segment family understand. */
import type { ServerResponse } from "node:http";
import type { CodedError } from "./errors.ts";
import { isObject } from "./message.ts";

/** @param headers names and values in turn, as the flat list that node:http writes fastest; without Content-Length */
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

/** For a single message. Never an empty body: analytics-java sends again when it finds none. */
export const ACCEPTED_BODY = '{"success":true}';

/** A message that was not kept, as its client is told. */
export interface Dropped<Reason extends string = string> {
  /** Its place in the batch, from 0. */
  readonly index: number;
  /** As the client sent it, where it sent one, so that it finds its message again. */
  readonly messageId: string | null;
  readonly reason: Reason;
}

/** For a batch, or a single message that was dropped. */
export function toAcceptedBody(messages: number, dropped: readonly Dropped[]): string {
  return JSON.stringify({ success: true, accepted: messages - dropped.length, dropped });
}

export function sentMessageId(message: unknown): string | null {
  return isObject(message) && typeof message.messageId === "string" ? message.messageId : null;
}

/** Clients of several families read it: Python code and message, Ruby error. */
export function errorBody({ code, message }: CodedError): string {
  return JSON.stringify({ success: false, code, message, error: message });
}

/** Names and values in turn. @param alsoAllowed a further method for Allow */
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
  /** Whether anything that it sends would be kept. Default: true. */
  readonly isAllowed?: boolean;
}

/** No tries: the client gives each event up before it sends it. */
const NEVER = { httpConfig: { backoffConfig: { maxRetryCount: 0 } } };

/**
 * The settings that analytics-next loads first. They make it send events to this host, and its metrics about itself nowhere: by
 * default those go to its maker's own host. Without `integrations` its `track()` never resolves, and with an empty one it would
 * send every event to its maker, so also a client of which nothing would be kept gets them.
 */
export function browserSettings({ apiKey, protocol, apiHost, isAllowed = true }: BrowserClient): string {
  const segment = { apiKey, apiHost, protocol, ...(isAllowed ? {} : NEVER) };
  return JSON.stringify({ integrations: { "Segment.io": segment }, metrics: { sampleRate: 0 } });
}
