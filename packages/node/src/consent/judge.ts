import type { Decision, Rule } from "@candor/consent";
import {
  type CheckedMessage,
  type CompiledPlan,
  compilePlan,
  consentOf,
  narrowPlan,
  type Plan,
  type PlanSource,
  type Reducers,
  type Trim,
} from "@candor/plan/runtime";
import type { Source } from "../outbox/outbox-name.ts";
import type { DropReason } from "../reasons.ts";
import type { SourceDecisions } from "./consent-watch.ts";

/** What becomes of a message. When it is kept, it was changed in place to what may be sent. */
export type Judged =
  | { readonly kept: true; readonly trims: readonly Trim[] }
  | { readonly kept: false; readonly reason: DropReason };

/** Judges a source's messages by the plan, as far as the answers cover it. */
export type Judge = (message: CheckedMessage, atMs: number) => Judged;

const RULES: readonly Rule[] = ["notice", "opt-in"];

/**
 * Compiles what a source may send now: for each rule the part of the plan that its answer covers. In `log` mode, where
 * nothing is sent, all of the plan.
 */
export function createJudge(
  plan: Plan,
  source: Source,
  decisions: SourceDecisions,
  reducers: Reducers,
): Judge {
  const ruleOfEvent = new Map<string, Rule>();
  for (const event of plan.events.filter(({ sources }) => sources.includes(source))) {
    ruleOfEvent.set(keyOf(event), consentOf(plan, source, event));
  }
  const plans = new Map<Rule, CompiledPlan>();
  for (const rule of RULES) {
    const version = coveredBy(decisions[rule], plan);
    if (version !== undefined) plans.set(rule, compileRule(plan, source, rule, version, reducers));
  }
  const declared = new Set(plan.events.map(keyOf));
  return (message, atMs) => {
    const key = keyOf({ type: message.type, name: message.type === "track" ? message.event : message.name });
    const rule = ruleOfEvent.get(key);
    if (rule === undefined) {
      return { kept: false, reason: declared.has(key) ? "wrong_source" : "event_not_in_plan" };
    }
    const verdict = plans.get(rule)?.check(source, message, atMs);
    if (verdict === undefined) return { kept: false, reason: "withheld" };
    const { refused, trims } = verdict;
    if (refused === undefined) return { kept: true, trims };
    // The plan does declare it: what is compiled here is only the part that was agreed to.
    const isHeldBack = refused === "event_not_in_plan" || refused === "wrong_source";
    return { kept: false, reason: isHeldBack ? "withheld" : refused };
  };
}

/** The rules that a source's events have, in one plan. */
export function rulesOf(plan: Plan, source: Source): readonly Rule[] {
  const events = plan.events.filter(({ sources }) => sources.includes(source));
  return RULES.filter((rule) => events.some((event) => consentOf(plan, source, event) === rule));
}

/**
 * Tells of lines that lie in the outbox already whether they may still be sent: some of a source's events may need an answer
 * that is not there any more. Undefined: all may.
 */
export function createLineFilter(
  plan: Plan,
  source: Source,
  decisions: SourceDecisions,
): ((line: string) => boolean) | undefined {
  const denied = new Set(rulesOf(plan, source).filter((rule) => !decisions[rule].allow));
  if (denied.size === 0) return undefined;
  const events = plan.events.filter(({ sources }) => sources.includes(source));
  const held = new Set(events.filter((event) => denied.has(consentOf(plan, source, event))).map(keyOf));
  return (line) => !held.has(keyOfLine(line));
}

function keyOfLine(line: string): string {
  try {
    const { type, event, name } = JSON.parse(line);
    return keyOf({ type: String(type), name: type === "track" ? event : name });
  } catch {
    return "";
  }
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
  reducers: Reducers,
): CompiledPlan {
  const events = plan.events.filter((event) => consentOf(plan, source, event) === rule);
  const settings = plan.sources[source];
  const sources = settings === undefined ? {} : { [source]: hereSettings(settings) };
  return compilePlan(narrowPlan({ ...plan, sources, events }, version), reducers);
}

/** Mode `observe`, and a userId in the clear, are for collectors: from here nothing undeclared leaves, and no person's id. */
function hereSettings(settings: PlanSource): PlanSource {
  const { userId } = settings.ids;
  const ids =
    userId?.type === "string" ? { ...settings.ids, userId: { ...userId, hash: true } } : settings.ids;
  return { ...settings, ids, mode: "enforce" };
}

/** Only the calls that have names are known by them. */
function keyOf({ type, name }: { readonly type: string; readonly name: string | undefined }): string {
  const isNamed = type === "track" || type === "page" || type === "screen";
  return `${type}\n${isNamed ? (name ?? "") : ""}`;
}
