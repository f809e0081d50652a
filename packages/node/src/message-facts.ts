/**
 * Adds to messages what the plan declares and the product did not pass: common properties and the environment,
 * and to the server's messages the library and the instance's id.
 */
import { isCi } from "@candor/consent";
import { type Draft, InstanceIdPlace, LIBRARY } from "./message.ts";
import { copyPlain } from "./plain-copy.ts";
import { SOURCES, type Source } from "./scope.ts";
import type { Settings } from "./settings.ts";

/** Where a product runs. Reports count `production` unless they are asked for another value. */
type RunsIn = "production" | "development" | "test" | "ci";

/** Says where the product runs, according to the variables of CI systems and then `NODE_ENV`. */
function runsIn(environment: Readonly<Record<string, string | undefined>>): RunsIn {
  if (isCi(environment)) return "ci";
  const { NODE_ENV } = environment;
  return NODE_ENV === "development" || NODE_ENV === "test" ? NODE_ENV : "production";
}

/** The properties that every event of a source gets where the plan declares them and the message has none. */
class CommonProperties {
  readonly #settings: Pick<Settings, "common" | "environment">;
  /** The declared properties of each event, by type and name. */
  readonly #declared: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(settings: Pick<Settings, "plan" | "common" | "environment">, source: Source) {
    this.#settings = settings;
    this.#declared = new Map(
      settings.plan.events
        .filter(({ type, sources }) => sources.includes(source) && type !== "identify" && type !== "group")
        .map(({ type, name, fields }) => [`${type} ${name}`, new Set(Object.keys(fields))]),
    );
  }

  /** Completes a message in place. Never throws. */
  addTo({ type, name, values }: Draft): void {
    const declared = this.#declared.get(`${type} ${name}`);
    if (declared === undefined) return;
    try {
      const common = this.#settings.common();
      const missing = new Set([...declared].filter((name) => values[name] === undefined));
      if (common !== undefined) Object.assign(values, copyPlain(common, missing));
    } catch {
      // The product's own function failed, or its result cannot be read: the message is sent without common
      // properties.
    }
    if (declared.has("environment")) values.environment ??= runsIn(this.#settings.environment());
  }
}

export class MessageFacts {
  readonly #common: ReadonlyMap<Source, CommonProperties>;
  readonly #idPlace: InstanceIdPlace;
  readonly #isLibraryDeclared: boolean;

  constructor(settings: Pick<Settings, "plan" | "common" | "environment">) {
    const { plan } = settings;
    this.#common = new Map(SOURCES.map((source) => [source, new CommonProperties(settings, source)]));
    this.#idPlace = new InstanceIdPlace(plan, "server");
    this.#isLibraryDeclared = plan.sources.server?.context.library !== undefined;
  }

  /** Completes a message in place. Never throws. The gateway has set the instance's id of a client's message. */
  addTo(source: Source, draft: Draft, instanceId: string): void {
    if (source === "server") {
      draft.anonymousId = instanceId;
      if (this.#isLibraryDeclared) draft.context.library = LIBRARY;
      if (this.#idPlace.isDeclaredIn(draft)) draft.values[this.#idPlace.name] ??= instanceId;
    }
    this.#common.get(source)?.addTo(draft);
  }
}
