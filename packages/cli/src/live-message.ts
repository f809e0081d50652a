/** A message as /api/live tells it: what was kept, or what was dropped and why. */
export interface LiveMessage {
  /** Why it was dropped; undefined when it was kept. */
  readonly reason: string | undefined;
  readonly source: string | undefined;
  /** The envelope of a kept message, or a dropped one's fields as they came. */
  readonly fields: Fields;
}

export type Fields = Readonly<Record<string, unknown>>;

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

/** A value as fields, when it is an object. */
export function toFields(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** A value of JSON as text. Not with String, which some objects make throw. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** The fields of a JSON object, or undefined. */
export function parseFields(json: string): Fields | undefined {
  try {
    return toFields(JSON.parse(json));
  } catch {
    return undefined;
  }
}
