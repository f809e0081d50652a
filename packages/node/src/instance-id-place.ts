/** Owns where the plan wants the instance's id in a source's messages. */
import type { Plan, PlanSourceName } from "@candor/plan/runtime";
import type { Draft } from "./message.ts";

export class InstanceIdPlace {
  /** A property's name; of `identify` and `group`, a trait's. */
  readonly name: string;
  readonly #events: ReadonlySet<string>;

  constructor({ sources, events }: Pick<Plan, "sources" | "events">, source: PlanSourceName) {
    const path = sources[source]?.instanceIds.find((one) => one !== "anonymousId");
    const name = path?.slice("properties.".length) ?? "instanceId";
    this.name = name;
    this.#events = new Set(events.filter(({ fields }) => Object.hasOwn(fields, name)).map(keyOf));
  }

  isDeclaredIn(message: Pick<Draft, "type" | "name">): boolean {
    return this.#events.has(keyOf(message));
  }
}

function keyOf({ type, name }: { readonly type: string; readonly name?: string | undefined }): string {
  return `${type} ${name}`;
}
