/** Checks messages by the part of the plan that was agreed to, and redacts their values. */
import { type Decision, RULES, type Rule } from "@candor/consent";
import {
  applyAddressPolicy,
  type CheckedMessage,
  type CompiledPlan,
  compilePlan,
  consentOf,
  eventKey,
  narrowPlan,
  type Plan,
  type PlanSource,
  type Redactors,
  type Trim,
} from "@candor/plan/runtime";
import type { DropReason } from "../reasons.ts";
import type { Source } from "../scope.ts";
import type { Instance } from "../state/instance.ts";
import type { SourceDecisions } from "./gate.ts";

/**
 * The verdict on a message. A kept message has been changed in place to what may be sent. `rule` is its
 * event's rule.
 */
export type AgreedVerdict =
  | { readonly kept: true; readonly rule: Rule; readonly trims: readonly Trim[] }
  | { readonly kept: false; readonly reason: DropReason };

/**
 * Checks a message, and redacts its values.
 * @param atMs the current time, epoch milliseconds
 */
export type AgreedPlan = (message: CheckedMessage, atMs: number) => AgreedVerdict;

/**
 * Compiles what a source may send now: for each rule, the part of the plan that its consent covers. A rule
 * whose decision is `log_mode` needs no consent, because nothing is sent: all its events are compiled.
 */
export function compileAgreed(
  plan: Plan,
  source: Source,
  decisions: SourceDecisions,
  redactors: Redactors,
): AgreedPlan {
  const ruleOfEvent = new Map<string, Rule>();
  for (const event of plan.events.filter(({ sources }) => sources.includes(source))) {
    ruleOfEvent.set(eventKey(event.type, event.name), consentOf(plan, source, event));
  }
  const plans = new Map<Rule, CompiledPlan>();
  for (const rule of RULES) {
    const version = coveredBy(decisions[rule], plan);
    if (version !== undefined) plans.set(rule, compileRule(plan, source, rule, version, redactors));
  }
  const declared = new Set(plan.events.map(({ type, name }) => eventKey(type, name)));
  return (message, atMs) => {
    const key = eventKey(message.type, message.type === "track" ? message.event : message.name);
    const rule = ruleOfEvent.get(key);
    if (rule === undefined) {
      return { kept: false, reason: declared.has(key) ? "wrong_source" : "event_not_in_plan" };
    }
    const verdict = plans.get(rule)?.check(source, message, atMs);
    if (verdict === undefined) return { kept: false, reason: "withheld" };
    const { refused, trims } = verdict;
    if (refused === undefined) return { kept: true, rule, trims };
    // The whole plan declares this event. The part that was agreed to, which is compiled here, does not.
    const isHeldBack = refused === "event_not_in_plan" || refused === "wrong_source";
    return { kept: false, reason: isHeldBack ? "withheld" : refused };
  };
}

function coveredBy(decision: Decision, plan: Plan): number | undefined {
  if (decision.allow) return decision.coversVersion;
  return decision.reason === "log_mode" ? plan.version : undefined;
}

function compileRule(
  plan: Plan,
  source: Source,
  rule: Rule,
  version: number,
  redactors: Redactors,
): CompiledPlan {
  const events = plan.events.filter((event) => consentOf(plan, source, event) === rule);
  const settings = plan.sources[source];
  const sources = settings === undefined ? {} : { [source]: hereSettings(settings) };
  return compilePlan(narrowPlan({ ...plan, sources, events }, version), redactors);
}

/**
 * Overrides two settings that are meant for collectors: the mode `observe`, and a userId that is not hashed.
 * The SDK sends nothing undeclared, and hashes every person's id.
 */
function hereSettings(settings: PlanSource): PlanSource {
  const { userId } = settings.ids;
  const ids =
    userId?.type === "string" ? { ...settings.ids, userId: { ...userId, hash: true } } : settings.ids;
  return { ...settings, ids, mode: "enforce" };
}

/** In hex digits, as long as the collector's own pseudonyms. A plan's `hash: true` accepts 32 to 64. */
const PSEUDONYM_LENGTH = 32;

/** Creates the functions with which the compiled plan redacts values. */
export function createRedactors({ keyedHash }: Pick<Instance, "keyedHash">): Redactors {
  const pseudonym = (id: string): string => keyedHash(id).slice(0, PSEUDONYM_LENGTH);
  return {
    address: (address, policy) => applyAddressPolicy(address, policy, pseudonym),
    // The collector derives the browser families. The lists needed for that are too large for an SDK.
    userAgent: (userAgent, policy) => (policy === "drop" ? undefined : userAgent),
    pseudonym,
    keyedHash,
  };
}
