import { parseFields, toSafeJson } from "@candor/node/operator";
import { labelOf, type Plan, type PlanEvent } from "@candor/plan";
import { makeSamples, type Source } from "@candor/server";
import { isExpired } from "./plan/attention.ts";

/** A message that the plan accepts, to be sent by hand. */
export interface FirstMessage {
  readonly source: Source;
  /** Also the last part of the address that takes it. */
  readonly type: string;
  /** On one line, without a character that a terminal obeys. */
  readonly json: string;
}

/** What a message says of itself; who sent it stands between the two. */
const NAMES = ["type", "event", "name", "groupId", "previousId"] as const;
const DETAILS = ["properties", "traits"] as const;

/**
 * Makes a message of a plan's examples: of the first event that a server tracks, else of the first event at all.
 * Undefined when every event has expired.
 */
export function makeFirstMessage(plan: Plan, nowMs: number): FirstMessage | undefined {
  const samples = makeSamples(plan);
  const events = plan.events.filter((event) => samples.has(labelOf(event)) && !isExpired(event, nowMs));
  const event = events.find(({ type, sources }) => type === "track" && sources[0] === "server") ?? events[0];
  const source = event?.sources[0];
  if (event === undefined || source === undefined) return undefined;
  return { source, type: event.type, json: toMessage(event, samples.get(labelOf(event)) ?? "") };
}

function toMessage({ type }: PlanEvent, sample: string): string {
  const fields = parseFields(sample) ?? {};
  const who = type !== "alias" && fields.anonymousId !== undefined ? "anonymousId" : "userId";
  const names = [...NAMES, who, ...DETAILS].filter((name) => !isEmpty(fields[name]));
  return toSafeJson(JSON.stringify(Object.fromEntries(names.map((name) => [name, fields[name]]))));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || JSON.stringify(value) === "{}";
}
