/**
 * What a message is: one call of Segment's Tracking API, and the envelope that the collector makes of it.
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
 * A parsed message. Absent means absent: nulls and empty ids have been taken out, ids are strings, times are
 * epoch milliseconds. `originalTimestampMs` is the client's `timestamp ?? originalTimestamp`. The values inside
 * `properties`, `traits`, `context` and `integrations` are any JSON: the plan checks them.
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
  /** The client's own text for it, if that was ISO 8601 in UTC with milliseconds. */
  readonly originalTimestamp: string | undefined;
  readonly sentAtMs: number | undefined;
  /** The time fields whose value cannot be read as a time. */
  readonly unreadableTimes: readonly string[];
  /** Version of the plan that the sender's SDK has; undefined when it does not say. */
  readonly planVersion: number | undefined;
  /** Messages of this event that the sender's SDK did not record since the one before; undefined: none, or it does not say. */
  readonly skipped: number | undefined;
}

/**
 * A stamped message, as it is kept and read back. Times are ISO 8601 in UTC with milliseconds. Keys stand in
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
