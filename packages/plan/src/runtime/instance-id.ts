/**
 * Decides which messages belong to an instance, by the paths that the plan names. The store does the same in
 * SQL (instance-rows.ts).
 */
import { isObject, type MessageType } from "@candor/envelope/wire";
import { type InstanceIdPath, type PlanSource, rootOf } from "../plan.ts";

/** The fields of a message that tell to which instance it belongs. */
export interface NamedMessage {
  readonly type?: unknown;
  readonly anonymousId?: unknown;
  readonly properties?: unknown;
  readonly traits?: unknown;
}

/** Whether a message of a source belongs to an instance. */
export function isOfInstance(
  { instanceIds }: Pick<PlanSource, "instanceIds">,
  message: NamedMessage,
  instanceId: string,
): boolean {
  return instanceIds.some((path) => readInstanceId(path, message) === instanceId);
}

/** Returns the id of the instance to which a message of a source belongs; undefined if it tells none. */
export function instanceIdOf(
  { instanceIds }: Pick<PlanSource, "instanceIds">,
  message: NamedMessage,
): string | undefined {
  const ids = instanceIds.map((path) => readInstanceId(path, message));
  return ids.find((id): id is string => typeof id === "string" && id !== "");
}

function readInstanceId(path: InstanceIdPath, message: NamedMessage): unknown {
  if (path === "anonymousId") return message.anonymousId;
  const values = message[rootOf(message.type as MessageType)]; // "properties" for an unknown type
  return isObject(values) ? values[path.slice("properties.".length)] : undefined;
}
