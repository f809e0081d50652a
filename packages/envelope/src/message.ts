/**
 * Defines a message, which is one call of Segment's Tracking API, and the envelope that the collector makes
 * from it.
 * @see https://segment.com/docs/connections/spec/
 */

/** The six calls of the Segment spec. */
export const MESSAGE_TYPES = ["track", "identify", "page", "screen", "group", "alias"] as const;
export type MessageType = (typeof MESSAGE_TYPES)[number];

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export type JsonObject = { [key: string]: JsonValue };
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

/**
 * A parsed message. Nulls and empty ids are removed, ids are strings, and times are epoch milliseconds.
 * `originalTimestampMs` is the client's `timestamp ?? originalTimestamp`. The values inside `properties`,
 * `traits`, `context` and `integrations` are arbitrary JSON, because the plan's checks come later.
 */
export interface Message {
  readonly type: MessageType;
  readonly event: string | undefined;
  readonly name: string | undefined;
  readonly category: string | undefined;
  readonly messageId: string | undefined;
  readonly userId: string | undefined;
  readonly anonymousId: string | undefined;
  readonly groupId: string | undefined;
  readonly previousId: string | undefined;
  readonly properties: JsonObject | undefined;
  readonly traits: JsonObject | undefined;
  readonly context: JsonObject;
  readonly integrations: JsonObject;
  readonly originalTimestampMs: number | undefined;
  /** The client's own text of the time, if that was ISO 8601 in UTC with milliseconds. */
  readonly originalTimestamp: string | undefined;
  readonly sentAtMs: number | undefined;
  /** The names of time fields that could not be parsed. */
  readonly unreadableTimes: readonly string[];
  /** The version of the plan in the sender's SDK; undefined if the message does not contain one. */
  readonly planVersion: number | undefined;
  /**
   * How many messages of this event the sender's SDK has skipped since the previous one; undefined if none.
   */
  readonly skipped: number | undefined;
}

/**
 * A stamped message, in the form in which it is stored and read back. Times are ISO 8601 in UTC with
 * milliseconds. Keys are in alphabetical order, as in Segment's own samples. Undefined keys are not written.
 */
export interface Envelope {
  anonymousId: string | undefined;
  category: string | undefined;
  context: JsonObject;
  event: string | undefined;
  groupId: string | undefined;
  integrations: JsonObject;
  messageId: string;
  name: string | undefined;
  originalTimestamp: string | undefined;
  previousId: string | undefined;
  properties: JsonObject | undefined;
  receivedAt: string;
  sentAt: string | undefined;
  timestamp: string;
  traits: JsonObject | undefined;
  type: MessageType;
  userId: string | undefined;
}
