import type { IncomingMessage } from "node:http";

/** A request of node:http, and what a framework's middleware adds to it. */
export interface ParsedRequest extends IncomingMessage {
  /** What an earlier middleware has read: an object, a text, or bytes. */
  readonly body?: unknown;
}

/**
 * Whether somebody has read the body, so that `request.body` is what is left of it. Unread, it says nothing: Express 4's
 * parsers set it to an empty object when the content type is not theirs.
 */
export function isBodyRead(request: IncomingMessage): boolean {
  return request.readableDidRead || request.readableEnded;
}
