/** Makes the example message that `candor start` shows. */
import { isRecord } from "@candor/envelope/unknown-value";
import { parseFields, toSafeJson } from "@candor/node/operator";
import { labelOf, type Plan, type PlanEvent } from "@candor/plan";
import { makeSamples, type Source } from "@candor/server";
import { isExpired } from "./plan/attention.ts";

/** A message that the plan accepts, to send by hand. */
export interface FirstMessage {
  readonly source: Source;
  /** The message type, which is also the last part of the address that accepts it. */
  readonly type: string;
  /** The message as JSON, on one line and without control characters. */
  readonly json: string;
}

/**
 * Fields of the example in the order of the Segment spec. The sender's id is placed between the two lists.
 */
const NAMES = ["type", "event", "name", "groupId", "previousId"] as const;
const DETAILS = ["properties", "traits"] as const;

/**
 * Makes a message from the examples of the first `track` event whose first source is the server, or else of
 * the first event. Expired events are skipped. Undefined if every event has expired.
 */
export function makeFirstMessage(plan: Plan, nowMs: number): FirstMessage | undefined {
  const samples = makeSamples(plan);
  const events = plan.events.filter((event) => samples.has(labelOf(event)) && !isExpired(event, nowMs));
  const event = events.find(({ type, sources }) => type === "track" && sources[0] === "server") ?? events[0];
  const source = event?.sources[0];
  if (event === undefined || source === undefined) return undefined;
  return { source, type: event.type, json: toMessage(event, samples.get(labelOf(event)) ?? "") };
}

/**
 * Writes the message. If the plan requires any of its properties, the others are left out, so that the line
 * stays short.
 */
function toMessage({ type, fields: declared }: PlanEvent, sample: string): string {
  const found = parseFields(sample) ?? {};
  const required = Object.keys(declared).filter((name) => declared[name]?.required);
  const { properties } = found;
  const fields =
    isRecord(properties) && required.length > 0
      ? { ...found, properties: Object.fromEntries(required.map((name) => [name, properties[name]])) }
      : found;
  const who = type !== "alias" && fields.anonymousId !== undefined ? "anonymousId" : "userId";
  const names = [...NAMES, who, ...DETAILS].filter((name) => !isEmpty(fields[name]));
  return toSafeJson(JSON.stringify(Object.fromEntries(names.map((name) => [name, fields[name]]))));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || JSON.stringify(value) === "{}";
}
