/** Owns what the SDK adds to the server's messages, where the plan declares it and the product gave nothing of that name. */
import { isCi } from "@candor/consent";
import type { Plan } from "@candor/plan/runtime";
import { type Draft, LIBRARY } from "./message.ts";
import { copyPlain } from "./plain-copy.ts";
import type { Settings } from "./settings.ts";

/** Where a product runs; reports count `production` unless they are asked for others. */
type RunsIn = "production" | "development" | "test" | "ci";

/** A CI system's variables, then `NODE_ENV`. */
function runsIn(environment: Readonly<Record<string, string | undefined>>): RunsIn {
  if (isCi(environment)) return "ci";
  const { NODE_ENV } = environment;
  return NODE_ENV === "development" || NODE_ENV === "test" ? NODE_ENV : "production";
}

export class ServerFacts {
  readonly #settings: Pick<Settings, "common" | "environment">;
  /** The property in which the plan wants the instance's id. */
  readonly #idName: string;
  /** The properties of each event of the server, by type and name. */
  readonly #declared: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #isLibraryDeclared: boolean;

  constructor(settings: Pick<Settings, "plan" | "common" | "environment">) {
    const { plan } = settings;
    this.#settings = settings;
    this.#idName = idNameOf(plan);
    this.#declared = new Map(
      plan.events
        .filter(({ type, sources }) => sources.includes("server") && type !== "identify" && type !== "group")
        .map(({ type, name, fields }) => [`${type} ${name}`, new Set(Object.keys(fields))]),
    );
    this.#isLibraryDeclared = plan.sources.server?.context.library !== undefined;
  }

  /** Completes a message of the server, in place. Never throws. */
  addTo(draft: Draft, instanceId: string): void {
    draft.anonymousId = instanceId;
    if (this.#isLibraryDeclared) draft.context.library = LIBRARY;
    const declared = this.#declared.get(`${draft.type} ${draft.name}`);
    if (declared === undefined) return;
    const { values } = draft;
    if (declared.has(this.#idName)) values[this.#idName] ??= instanceId;
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
      // The product's own function, or what it gave cannot be read: the message goes without.
    }
  }
}

function idNameOf({ sources }: Plan): string {
  const path = sources.server?.instanceIds.find((one) => one !== "anonymousId");
  return path?.slice("properties.".length) ?? "instanceId";
}
