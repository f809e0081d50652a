/** What the SDK itself adds to the server's messages: the instance's id, and which library made them. */

import type { Plan } from "@candor/plan/runtime";
import { type Draft, LIBRARY } from "./message.ts";

export class ServerFacts {
  /** The property in which the plan wants the instance's id. */
  readonly #idName: string;
  readonly #eventsWithId: ReadonlySet<string>;
  readonly #isLibraryDeclared: boolean;

  constructor(plan: Plan) {
    this.#idName = idNameOf(plan);
    this.#eventsWithId = eventsWithField(plan, this.#idName);
    this.#isLibraryDeclared = plan.sources.server?.context.library !== undefined;
  }

  /** Completes a message of the server, in place. An id that the product gave stays. */
  addTo(draft: Draft, instanceId: string): void {
    const isDeclared = this.#eventsWithId.has(`${draft.type} ${draft.name}`);
    if (isDeclared && draft.values[this.#idName] === undefined) draft.values[this.#idName] = instanceId;
    if (this.#isLibraryDeclared) draft.context.library = LIBRARY;
    draft.anonymousId = instanceId;
  }
}

function idNameOf({ sources }: Plan): string {
  const path = sources.server?.instanceIds.find((one) => one !== "anonymousId");
  return path?.slice("properties.".length) ?? "instanceId";
}

function eventsWithField(plan: Plan, name: string): ReadonlySet<string> {
  return new Set(
    plan.events
      .filter(({ fields }) => Object.hasOwn(fields, name))
      .map(({ type, name }) => `${type} ${name}`),
  );
}
