import type { AllowReason, Decision, DenyReason, Rule, Signals } from "@candor/consent";
import { modeSwitch, type Plan } from "@candor/plan/runtime";
import { SOURCES, type Source } from "../outbox/outbox-name.ts";
import type { OffReason } from "../reasons.ts";
import type { Settings } from "../settings.ts";
import type { StateFolder } from "../state/state-folder.ts";
import { ConsentWatch, type SourceDecisions } from "./consent-watch.ts";
import { rulesOf } from "./judge.ts";

/** Whether a source may send, and why. Some of its events may need an answer that others do not: it may when any of them may. */
export interface SourceStanding {
  readonly allow: boolean;
  readonly reason: AllowReason | DenyReason | OffReason;
}

/** What decisions are made of, beside the folder's answers. */
export type StandingSettings = Pick<
  Settings,
  "plan" | "planHash" | "products" | "environment" | "policyFile"
>;

/**
 * What a source may do now. `keep`: it takes and sends no messages, but those that wait stay, because nobody has refused.
 * `discard`: it is refused, and its waiting messages are deleted.
 */
export type Permit = "send" | "keep" | "discard";

/**
 * Which reasons are a refusal. The others mean "not now": something could not be read, or the answer is missing, or it is for
 * another version's plan, and that version may be running on the same folder.
 */
const IS_REFUSAL: Readonly<Record<DenyReason, boolean>> = {
  environment_disable: true,
  environment_off: true,
  environment_do_not_track: true,
  environment_ci: true,
  environment_opt_in_off: true,
  browser_gpc: true,
  browser_dnt: true,
  policy_off: true,
  policy_unreadable: false,
  receipt_unreadable: false,
  stored_no: true,
  log_mode: false,
  consent_stale: false,
  notice_missing: false,
  consent_missing: false,
};

/** How the sources of a plan stand: the decisions that their events hang on, as of the last look. */
export class Standing {
  readonly #plan: Plan;
  readonly #watch: ConsentWatch;
  /** The rules that a source's events have. */
  readonly #rules: ReadonlyMap<Source, readonly Rule[]>;

  constructor(settings: StandingSettings, folder: StateFolder) {
    const { plan, planHash, products, environment, policyFile } = settings;
    const switches = { ...plan.switches, mode: modeSwitch(plan.product) };
    this.#plan = plan;
    this.#rules = new Map(SOURCES.map((source) => [source, rulesOf(plan, source)]));
    this.#watch = new ConsentWatch({
      about: { switches, plan: { version: plan.version, hash: planHash } },
      products,
      hasOptInSwitch: (source) => plan.sources[source]?.consent === "opt-in",
      environment,
      policyFile,
      receiptsFile: folder.receipts,
      instanceFile: folder.instance,
    });
  }

  /** Looks again. The text that it returns is another one whenever a decision could be. */
  look(): string {
    return this.#watch.look();
  }

  /** From the last look, whatever events the plan has. */
  decisionsOf(source: Source, signals?: Signals): SourceDecisions {
    return this.#watch.decisionsOf(source, signals);
  }

  /** For `log` mode: what is printed. */
  printedDecisionsOf(source: Source): SourceDecisions {
    return this.#watch.printedDecisionsOf(source);
  }

  /** The decisions that a source's events hang on. */
  rulesNow(source: Source): readonly Decision[] {
    const decisions = this.#watch.decisionsOf(source);
    return (this.#rules.get(source) ?? []).map((rule) => decisions[rule]);
  }

  /** Whether the plan has an event for a source. */
  hasEvents(source: Source): boolean {
    return (this.#rules.get(source) ?? []).length > 0;
  }

  /** Whether only the notice is missing, or it was shown for an older plan than this one. */
  isNoticeDue(source: Source): boolean {
    const { notice } = this.#watch.decisionsOf(source);
    if (!(this.#rules.get(source) ?? []).includes("notice")) return false;
    if (!notice.allow) return notice.reason === "notice_missing";
    return notice.reason === "notice_shown" && notice.coversVersion < this.#plan.version;
  }

  maySend(source: Source): boolean {
    return this.rulesNow(source).some(({ allow }) => allow);
  }

  /** Its messages are printed, and never sent. */
  isLogged(source: Source): boolean {
    return this.rulesNow(source).some((decision) => !decision.allow && decision.reason === "log_mode");
  }

  permitOf(source: Source): Permit {
    if (this.maySend(source)) return "send";
    // Another version of the product may have events of a source for which this plan has none.
    const decisions = this.hasEvents(source) ? this.rulesNow(source) : this.#allDecisions(source);
    const isRefused = decisions.every((decision) => !decision.allow && IS_REFUSAL[decision.reason]);
    return isRefused ? "discard" : "keep";
  }

  #allDecisions(source: Source): readonly Decision[] {
    return Object.values(this.#watch.decisionsOf(source));
  }

  /** Why none of these sources may send: the first one's reason that has events. */
  whyOff(sources: readonly Source[]): DenyReason | OffReason {
    for (const source of sources) {
      for (const decision of this.rulesNow(source)) if (!decision.allow) return decision.reason;
    }
    return "no_events";
  }

  /** Each source that the plan declares. */
  report(): Readonly<Partial<Record<Source, SourceStanding>>> {
    const declared = SOURCES.filter((source) => this.#plan.sources[source] !== undefined);
    return Object.fromEntries(declared.map((source) => [source, this.#standingOf(source)]));
  }

  #standingOf(source: Source): SourceStanding {
    const decisions = this.rulesNow(source);
    const { allow, reason } = decisions.find((decision) => decision.allow) ?? decisions[0] ?? NO_EVENTS;
    return { allow, reason };
  }
}

const NO_EVENTS: SourceStanding = { allow: false, reason: "no_events" };
