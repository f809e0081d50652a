/** Owns how the SDKs' requests are read: `{batch: [...]}` in all of them, an event's id under `messageId` or, PostHog's, `uuid`. */

/** The app's name in events that are not counted. */
export const UNCOUNTED_APP = "not counted";

const EVENT = "execute_ACTION_TRIGGERED";

/** Ids of the usage events in a request's body, after gunzip. @throws if the body is not a batch */
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
