/**
 * Adds to messages what the plan declares and the product did not pass: common properties and the environment,
 * and to the server's messages the library and the instance's id.
 */
import { isCi } from "@candor/consent";
import { eventKey } from "@candor/plan/runtime";
import { type Draft, InstanceIdPlace, LIBRARY } from "./message.ts";
import { copyPlain } from "./plain-copy.ts";
import { SOURCES, type Source } from "./scope.ts";
import type { Settings } from "./settings.ts";

/** Where a product runs. Reports count `production` unless they are asked for another value. */
type RunsIn = "production" | "development" | "test" | "ci";

function runsIn(environment: Readonly<Record<string, string | undefined>>): RunsIn {
  if (isCi(environment)) return "ci";
  const { NODE_ENV } = environment;
  return NODE_ENV === "development" || NODE_ENV === "test" ? NODE_ENV : "production";
}

export class MessageFacts {
  readonly #settings: Pick<Settings, "common" | "environment">;
  readonly #idPlace: InstanceIdPlace;
  /** The declared properties of each source's events, by `eventKey`. */
  readonly #declared: ReadonlyMap<Source, ReadonlyMap<string, ReadonlySet<string>>>;
  readonly #isLibraryDeclared: boolean;

  constructor(settings: Pick<Settings, "plan" | "common" | "environment">) {
    const { plan } = settings;
    this.#settings = settings;
    this.#idPlace = new InstanceIdPlace(plan, "server");
    const withProperties = plan.events.filter(({ type }) => type !== "identify" && type !== "group");
    this.#declared = new Map(
      SOURCES.map((source) => {
        const events = withProperties.filter(({ sources }) => sources.includes(source));
        return [
          source,
          new Map(
            events.map(({ type, name, fields }) => [eventKey(type, name), new Set(Object.keys(fields))]),
          ),
        ];
      }),
    );
    this.#isLibraryDeclared = plan.sources.server?.context.library !== undefined;
  }

  /**
   * Completes a message in place. `key` is the message's `eventKey`. Never throws. In a client's message, the gateway has already set the
   * instance's id.
   */
  addTo(source: Source, draft: Draft, key: string, instanceId: string): void {
    const { values } = draft;
    if (source === "server") {
      draft.anonymousId = instanceId;
      if (this.#isLibraryDeclared) draft.context.library = LIBRARY;
      if (this.#idPlace.isDeclaredIn(key)) values[this.#idPlace.name] ??= instanceId;
    }
    const declared = this.#declared.get(source)?.get(key);
    if (declared === undefined) return;
    this.#addCommon(values, declared);
    if (declared.has("environment")) values.environment ??= runsIn(this.#settings.environment());
  }

  #addCommon(values: Draft["values"], declared: ReadonlySet<string>): void {
    try {
      const common = this.#settings.common();
      if (common === undefined) return;
      const missing = new Set([...declared].filter((name) => values[name] === undefined));
      Object.assign(values, copyPlain(common, missing));
    } catch {
      // The product's own function failed, or its result cannot be read: the message is sent without common
      // properties.
    }
  }
}
