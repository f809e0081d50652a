/** Defines a message before the plan has checked it, and writes it as a line of the outbox. */
import { randomUUID } from "node:crypto";
import { type CheckedMessage, eventKey, type Plan, type PlanSourceName } from "@candor/plan/runtime";
import type { Json } from "./plain-copy.ts";
import { VERSION } from "./version.ts";

/** How messages name the SDK that sent them: `context.library`. */
export const LIBRARY = { name: "@candor/node", version: VERSION };
/** The collector's own limit. */
export const MAX_MESSAGE_BYTES = 32 * 1024;

/** One message as passed to a call, before the plan has checked it. */
export interface Draft {
  readonly type: "track" | "identify" | "page" | "screen" | "group";
  /** The event's name; for a page or screen its name. */
  readonly name?: string | undefined;
  readonly userId?: string | undefined;
  anonymousId?: string | undefined;
  readonly groupId?: string | undefined;
  /** Properties, or traits of identify and group. JSON only. */
  readonly values: { [name: string]: Json };
  /** Whether undeclared values have already been left out. */
  readonly hasUndeclared?: boolean;
  readonly context: { [name: string]: Json };
  readonly timestampMs: number;
  /** Kept if the message came with one, from a browser. */
  readonly messageId?: string | undefined;
}

/** The message as the plan checks it. The plan replaces values instead of changing them. */
export function toChecked(draft: Draft): CheckedMessage {
  const isTraits = draft.type === "identify" || draft.type === "group";
  return {
    type: draft.type,
    event: draft.type === "track" ? draft.name : undefined,
    name: draft.type === "track" ? undefined : draft.name,
    category: undefined,
    userId: draft.userId,
    anonymousId: draft.anonymousId,
    groupId: draft.groupId,
    previousId: undefined,
    properties: isTraits ? undefined : draft.values,
    traits: isTraits ? draft.values : undefined,
    context: draft.context,
    integrations: {},
  };
}

/** What a line contains besides its message. */
export interface LineAbout {
  /** For a message that is not the server's own. */
  readonly writeKey: string | undefined;
  readonly planVersion: number;
  /** How many messages of this event were skipped since the previous one. */
  readonly skipped: number | undefined;
}

/**
 * A line of the outbox: Segment's message as JSON, without a line break; undefined values are omitted. It carries the
 * version of the plan that it was checked against, because the collector may have another one by then.
 * @see https://segment.com/docs/connections/spec/common/
 */
export function writeLine(
  message: CheckedMessage,
  draft: Draft,
  { writeKey, planVersion, skipped }: LineAbout,
): string {
  const { type, event, name, userId, anonymousId, groupId, properties, traits, context } = message;
  return JSON.stringify({
    type,
    event,
    name,
    messageId: draft.messageId ?? randomUUID(),
    timestamp: new Date(draft.timestampMs).toISOString(),
    anonymousId,
    userId,
    groupId,
    properties,
    traits,
    context,
    candor: { planVersion, skipped },
    writeKey,
  });
}

/** Tells where the plan wants the instance's id in a source's messages. */

export class InstanceIdPlace {
  /** A property's name; for `identify` and `group`, a trait's. */
  readonly name: string;
  readonly #events: ReadonlySet<string>;

  constructor({ sources, events }: Pick<Plan, "sources" | "events">, source: PlanSourceName) {
    const path = sources[source]?.instanceIds.find((one) => one !== "anonymousId");
    const name = path?.slice("properties.".length) ?? "instanceId";
    this.name = name;
    this.#events = new Set(
      events
        .filter(({ fields }) => Object.hasOwn(fields, name))
        .map((event) => eventKey(event.type, event.name)),
    );
  }

  isDeclaredIn(message: Pick<Draft, "type" | "name">): boolean {
    return this.#events.has(eventKey(message.type, message.name));
  }
}
