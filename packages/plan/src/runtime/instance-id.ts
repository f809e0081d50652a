/** Which messages are an instance's, by the place that the plan names. The store asks the same in SQL (instance-rows.ts). */
import { isObject, type MessageType } from "@candor/envelope/wire";
import { type InstanceIdPath, type PlanSource, rootOf } from "../plan.ts";

/** A message as far as an instance's id may stand in it. */
export interface NamedMessage {
  readonly type?: unknown;
  readonly anonymousId?: unknown;
  readonly properties?: unknown;
  readonly traits?: unknown;
}

/** Whether a message of a source is that instance's. */
export function isOfInstance(
  { instanceIds }: Pick<PlanSource, "instanceIds">,
  message: NamedMessage,
  instanceId: string,
): boolean {
  return instanceIds.some((path) => readInstanceId(path, message) === instanceId);
}

function readInstanceId(path: InstanceIdPath, message: NamedMessage): unknown {
  if (path === "anonymousId") return message.anonymousId;
  const values = message[rootOf(message.type as MessageType)]; // "properties" for what is no type
  return isObject(values) ? values[path.slice("properties.".length)] : undefined;
}
