/**
 * Reads event ids from the SDKs' requests. All requests are `{batch: [...]}`. An event's id is under
 * `messageId` or, for PostHog, `uuid`.
 */

/** The app's name in events that are not counted. */
export const UNCOUNTED_APP = "not counted";

const EVENT = "execute_ACTION_TRIGGERED";

/**
 * The ids of the usage events in a decompressed body, except those of `UNCOUNTED_APP`.
 * @throws Error if the body is not a batch, or a usage event has no id
 */
export function usageIds(body: string): string[] {
  const { batch } = JSON.parse(body);
  if (!Array.isArray(batch)) throw new Error(`not a batch: ${body.slice(0, 200)}`);
  const ids: string[] = [];
  for (const { event, messageId, uuid, properties } of batch) {
    if (event !== EVENT || properties?.appName === UNCOUNTED_APP) continue;
    const id: unknown = messageId ?? uuid;
    if (typeof id !== "string" || id === "") throw new Error("a usage event without an id");
    ids.push(id);
  }
  return ids;
}
