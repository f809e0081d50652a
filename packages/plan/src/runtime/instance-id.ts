/** Which messages are an instance's, by the place that the plan names. The store asks the same in SQL (instance-rows.ts). */
import { type PlanSource, rootOf } from "../plan.ts";

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

function readInstanceId(path: PlanSource["instanceIds"][number], message: NamedMessage): unknown {
  if (path === "anonymousId") return message.anonymousId;
  const isTrait = message.type === "identify" || message.type === "group";
  const values = message[rootOf(isTrait ? message.type : "track")];
  const name = path.slice("properties.".length);
  return typeof values === "object" && values !== null
    ? (values as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
