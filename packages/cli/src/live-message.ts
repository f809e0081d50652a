/** Owns how a message of /api/live is read. */
import { type Fields, parseFields, textOf, toFields } from "@candor/node/operator";

/** A message as /api/live tells it: what was kept, or what was dropped and why. */
export interface LiveMessage {
  /** Why it was dropped; undefined when it was kept. */
  readonly reason: string | undefined;
  readonly source: string | undefined;
  /** The envelope of a kept message, or a dropped one's fields as they came. */
  readonly fields: Fields;
}

/** Reads the data of one `message` event; undefined when it is none. */
export function parseLiveMessage(data: string): LiveMessage | undefined {
  const live = parseFields(data);
  if (live === undefined) return undefined;
  const { verdict, reason, source, envelope, message } = live;
  return {
    reason: verdict === "dropped" ? textOf(reason) : undefined,
    source: typeof source === "string" ? source : undefined,
    fields: toFields(envelope) ?? toFields(message) ?? {},
  };
}

/** How many messages a `missed` event says were not shown. */
export function parseMissed(data: string): number {
  return Number(parseFields(data)?.missed ?? 0);
}
