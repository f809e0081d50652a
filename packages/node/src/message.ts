/**
 * Defines drafts, writes checked messages as lines of the outbox, and finds the place of the instance's id.
 */
import { randomUUID } from "node:crypto";
import { type CheckedMessage, eventKey, type Plan, type PlanSourceName } from "@candor/plan/runtime";
import type { Json } from "./plain-copy.ts";
import { VERSION } from "./version.ts";

/** How messages name the SDK that sent them: `context.library`. */
export const LIBRARY = { name: "@candor/node", version: VERSION };
/** The collector's limit is the same. */
export const MAX_MESSAGE_BYTES = 32 * 1024;

/** One message, from a call of the product or from a browser, before the plan has checked it. */
export interface Draft {
  readonly type: "track" | "identify" | "page" | "screen" | "group";
  /** The name of the event, or of the page or screen. */
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
  /** Set only for a browser's message that had a messageId. Otherwise a new one is made. */
  readonly messageId?: string | undefined;
}

/**
 * Returns the message in the form that the plan checks. The plan replaces values and never modifies them in
 * place.
 */
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
  /** Set for a message from a source other than the server. */
  readonly writeKey: string | undefined;
  readonly planVersion: number;
  /** How many messages of this event were skipped since the previous one that was kept; undefined if none. */
  readonly skipped: number | undefined;
}

/**
 * Writes a line of the outbox: a message in Segment's format as JSON, without a line break. Undefined values
 * are omitted. The line says against which version of the plan the message was checked, because the collector
 * may have another version by then.
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

/** Says which value of a source's messages holds the instance's id, according to the plan. */
export class InstanceIdPlace {
  /**
   * The property (in `identify` and `group`, the trait) that holds the id: the plan's first path other than
   * `anonymousId`; `instanceId` if there is none.
   */
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

  /** @param key the event's `eventKey` */
  isDeclaredIn(key: string): boolean {
    return this.#events.has(key);
  }
}
