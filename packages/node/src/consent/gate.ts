/**
 * The consent gate: says whether messages may be sent now, and why. The gate reads consent and changes
 * nothing.
 */
import {
  type AllowReason,
  type Decision,
  type DenyReason,
  decide,
  type Facts,
  RULES,
  type Rule,
  type Signals,
} from "@candor/consent";
import { consentOf, modeSwitch, type Plan, type PlanChange, withheldOf } from "@candor/plan/runtime";
import type { OffReason } from "../reasons.ts";
import { type ConsentScope, SOURCES, type Source } from "../scope.ts";
import type { Settings } from "../settings.ts";
import { readText } from "../state/plain-file.ts";
import { type StateFolder, signatureOf } from "../state/state-folder.ts";

/** The decisions about one source, one for each rule that an event can have. */
export type SourceDecisions = Readonly<Record<Rule, Decision>>;

/** Whether a source may send, and why. A source may send if any of its events may be sent. */
export interface SourcePermission {
  readonly allow: boolean;
  readonly reason: AllowReason | DenyReason | OffReason;
}

/** A plan that collects more than the one that was agreed to. */
export interface PendingPlan {
  /** The plan's version. */
  readonly version: number;
  /** The version that was agreed to; the lowest one if sources or rules differ. */
  readonly coversVersion: number;
  /** The plan's changelog for the versions after `coversVersion`, newest first. */
  readonly changelog: readonly PlanChange[];
  readonly sources: readonly Source[];
}

/** The settings on which decisions depend, in addition to the stored answers. */
export type GateSettings = Pick<
  Settings,
  "plan" | "planHash" | "products" | "environment" | "policyFile" | "allowed"
>;

/**
 * Which reasons are refusals: the messages that wait are then deleted. The others mean "not now", and the
 * messages are kept.
 */
const IS_REFUSAL: Readonly<Record<DenyReason, boolean>> = {
  environment_disable: true,
  environment_off: true,
  environment_do_not_track: true,
  environment_ci: true,
  environment_opt_in_off: true,
  product_off: true,
  browser_gpc: true,
  browser_dnt: true,
  policy_off: true,
  policy_unreadable: false,
  receipt_unreadable: false,
  stored_no: true,
  product_undecided: false,
  log_mode: false,
  consent_stale: false,
  notice_missing: false,
  consent_missing: false,
};

export function isRefusal(decision: Decision): boolean {
  return !decision.allow && IS_REFUSAL[decision.reason];
}

/** The rules that a source's events have in a plan. */
export function rulesOf(plan: Plan, source: Source): readonly Rule[] {
  const events = plan.events.filter(({ sources }) => sources.includes(source));
  return RULES.filter((rule) => events.some((event) => consentOf(plan, source, event) === rule));
}

/** The policy file and the stored answers, as last read. */
interface Read {
  readonly policy: Facts["policy"];
  readonly receipts: Facts["receipts"];
}

/**
 * Decides from the current environment, the product's own setting, the policy and the stored answers. The
 * files are read again only after a change, or if one could not be read, so that the gate is cheap enough to
 * be asked before each write and each post.
 */
export class ConsentGate {
  readonly #settings: GateSettings;
  readonly #folder: StateFolder;
  readonly #about: Pick<Facts, "switches" | "plan">;
  readonly #rules: ReadonlyMap<Source, readonly Rule[]>;
  #signature = "";
  #read: Read = { policy: undefined, receipts: undefined };
  /** A cache of the decisions made without a browser's signals. Cleared when the files are read again. */
  readonly #decisions = new Map<Source, SourceDecisions>();

  constructor(settings: GateSettings, folder: StateFolder) {
    const { plan, planHash } = settings;
    this.#settings = settings;
    this.#folder = folder;
    this.#about = {
      switches: { ...plan.switches, mode: modeSwitch(plan.product) },
      plan: { version: plan.version, hash: planHash },
    };
    this.#rules = new Map(SOURCES.map((source) => [source, rulesOf(plan, source)]));
    this.version();
  }

  /** Whether messages of a scope may be sent now. */
  check({ source, rule }: ConsentScope): Decision {
    this.version();
    return this.#latest(source)[rule];
  }

  /**
   * The current decisions about a source for both rules, even if the plan has no events of that source or
   * rule.
   * @param signals the privacy headers of a browser's request; undefined outside of one
   */
  decisionsOf(source: Source, signals?: Signals): SourceDecisions {
    this.version();
    return signals === undefined ? this.#latest(source) : this.#decideAll(source, { signals });
  }

  /**
   * The decisions that apply to printing in `log` mode. If something could be sent without that mode, only
   * that is printed: returns the decisions without the mode. Otherwise returns the current ones, which say
   * `log_mode` while nobody has answered, so that everything is printed.
   */
  printedDecisionsOf(source: Source): SourceDecisions {
    const unlogged = { ...this.#settings.environment(), [this.#about.switches.mode]: undefined };
    const decisions = this.#decideAll(source, { environment: unlogged });
    const isAnswered = decisions.notice.allow || decisions["opt-in"].allow;
    return isAnswered ? decisions : this.#latest(source);
  }

  /**
   * A text that changes whenever a decision might change, or when the instance's file does: another process
   * may have received a No and deleted that file. Reads changed files again.
   */
  version(): string {
    const { environment, policyFile, allowed } = this.#settings;
    const { disable, optIn = "", mode } = this.#about.switches;
    const now = environment();
    const words = [...disable, optIn, mode, "DO_NOT_TRACK", "CI"].map((name) => now[name]);
    const files = [policyFile, this.#folder.receipts, this.#folder.instance].map(signatureOf);
    const signature = JSON.stringify([...files, ...words, String(allowed())]);
    // An unreadable file is read again each time: the cause may have been a lack of file descriptors.
    if (signature !== this.#signature || this.#read.policy === null || this.#read.receipts === null) {
      const policy = readText(policyFile, { mayBeLink: true });
      this.#read = { policy, receipts: readText(this.#folder.receipts) };
      this.#signature = signature;
      this.#decisions.clear();
    }
    return `${signature} ${this.#read.policy === null} ${this.#read.receipts === null}`;
  }

  /** Whether the plan has an event for a source. */
  hasEvents(source: Source): boolean {
    return this.#rulesOf(source).length > 0;
  }

  /** Whether any event of a source may be sent now. */
  allows(source: Source): boolean {
    return this.rulesNow(source).some(({ allow }) => allow);
  }

  /** Whether `log` mode applies to a source, so that its messages are printed and never sent. */
  isLogged(source: Source): boolean {
    return this.rulesNow(source).some((decision) => !decision.allow && decision.reason === "log_mode");
  }

  /** Whether every rule of a source is refused. */
  isRefused(source: Source): boolean {
    // Another version of the product may have events of a source for which this plan has none.
    const decisions = this.hasEvents(source)
      ? this.rulesNow(source)
      : Object.values(this.decisionsOf(source));
    return decisions.every(isRefusal);
  }

  /**
   * Whether the notice has to be shown: the source has events under the rule `notice`, and either only the
   * notice is missing for them, or it was shown for an older version of the plan.
   */
  isNoticeDue(source: Source): boolean {
    const { notice } = this.decisionsOf(source);
    if (!this.#rulesOf(source).includes("notice")) return false;
    if (!notice.allow) return notice.reason === "notice_missing";
    return notice.reason === "notice_shown" && notice.coversVersion < this.#settings.plan.version;
  }

  /** The current decisions on which a source's events depend: one for each rule that they have. */
  rulesNow(source: Source): readonly Decision[] {
    const decisions = this.decisionsOf(source);
    return this.#rulesOf(source).map((rule) => decisions[rule]);
  }

  /** What the plan adds to what was agreed to; undefined if it adds nothing, or nothing was agreed to. */
  pending(): PendingPlan | undefined {
    const { plan } = this.#settings;
    const covered = SOURCES.flatMap((source) => {
      const versions = this.rulesNow(source).flatMap((one) => (one.allow ? [one.coversVersion] : []));
      const coversVersion = Math.min(...versions);
      const { events, fields } = withheldOf(plan, coversVersion, source);
      return versions.length > 0 && events.length + fields.length > 0 ? [{ source, coversVersion }] : [];
    });
    if (covered.length === 0) return undefined;
    const coversVersion = Math.min(...covered.map((one) => one.coversVersion));
    const changelog = plan.changelog.filter(({ version }) => version > coversVersion);
    return {
      version: plan.version,
      coversVersion,
      changelog: [...changelog].sort((a, b) => b.version - a.version),
      sources: covered.map(({ source }) => source),
    };
  }

  /**
   * Why none of these sources may send: the reason for the first source that has events; `no_events` if none
   * has any.
   */
  whyOff(sources: readonly Source[]): DenyReason | OffReason {
    for (const source of sources) {
      for (const decision of this.rulesNow(source)) if (!decision.allow) return decision.reason;
    }
    return "no_events";
  }

  /** Whether each source that the plan declares may send, and why. */
  report(): Readonly<Partial<Record<Source, SourcePermission>>> {
    const declared = SOURCES.filter((source) => this.#settings.plan.sources[source] !== undefined);
    return Object.fromEntries(declared.map((source) => [source, this.#reportOf(source)]));
  }

  #reportOf(source: Source): SourcePermission {
    const decisions = this.rulesNow(source);
    const { allow, reason } = decisions.find((decision) => decision.allow) ?? decisions[0] ?? NO_EVENTS;
    return { allow, reason };
  }

  #rulesOf(source: Source): readonly Rule[] {
    return this.#rules.get(source) ?? [];
  }

  #latest(source: Source): SourceDecisions {
    const known = this.#decisions.get(source);
    if (known !== undefined) return known;
    const decisions = this.#decideAll(source, {});
    this.#decisions.set(source, decisions);
    return decisions;
  }

  #decideAll(source: Source, given: Partial<Pick<Facts, "signals" | "environment">>): SourceDecisions {
    const { plan, products, environment, allowed } = this.#settings;
    // The product's opt-in variable applies only to a source whose rule is opt-in.
    const isAsked = plan.sources[source]?.consent === "opt-in";
    const switches = isAsked ? this.#about.switches : { ...this.#about.switches, optIn: undefined };
    const facts = {
      environment: environment(),
      allowed: allowed(),
      ...given,
      ...this.#read,
      plan: this.#about.plan,
      switches,
      source,
    };
    const decideRule = (rule: Rule): Decision => {
      // A policy applies if it names the product by any of its names.
      const decisions = products.map((product) => decide({ ...facts, rule, product }));
      const [first] = decisions;
      return decisions.find(({ allow }) => !allow) ?? first ?? { allow: false, reason: "notice_missing" };
    };
    return { notice: decideRule("notice"), "opt-in": decideRule("opt-in") };
  }
}

const NO_EVENTS: SourcePermission = { allow: false, reason: "no_events" };
