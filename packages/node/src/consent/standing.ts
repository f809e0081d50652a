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

/** Reasons that deny, and delete nothing. */
const KEEPS: readonly DenyReason[] = ["policy_unreadable", "receipt_unreadable", "log_mode"];

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

  /** Nothing but the notice is missing, or it was shown for an older plan than the one in force. */
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

  /**
   * The sources that are refused, or that the plan has nothing for. What only could not be read is no refusal: it stays until
   * it can be read.
   */
  refused(): readonly Source[] {
    const isRefused = (source: Source): boolean =>
      this.rulesNow(source).every((decision) => !decision.allow && !KEEPS.includes(decision.reason));
    return SOURCES.filter((source) => this.#plan.sources[source] === undefined || isRefused(source));
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
