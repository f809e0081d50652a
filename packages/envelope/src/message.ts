/**
 * Defines a message, one call of Segment's Tracking API, and the envelope that the collector makes of it.
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
 * A parsed message. Nulls and empty ids are removed, ids are strings, times are epoch milliseconds.
 * `originalTimestampMs` is the client's `timestamp ?? originalTimestamp`. The values inside `properties`, `traits`,
 * `context` and `integrations` are arbitrary JSON: the plan checks them.
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
  /** The client's own text of the time, if it was ISO 8601 in UTC with milliseconds. */
  readonly originalTimestamp: string | undefined;
  readonly sentAtMs: number | undefined;
  /** Names of the time fields that could not be parsed. */
  readonly unreadableTimes: readonly string[];
  /** Version of the plan in the sender's SDK, if it says so. */
  readonly planVersion: number | undefined;
  /** How many messages of this event the sender's SDK skipped since the previous one, if any. */
  readonly skipped: number | undefined;
}

/**
 * A stamped message, as it is stored and read back. Times are ISO 8601 in UTC with milliseconds. Keys are in
 * alphabetical order, as in Segment's own samples; undefined keys are not written.
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
