/**
 * Decides whether a source may send: checks an ordered list of reasons to deny, then a list of reasons to
 * allow.
 */
import type { Facts } from "./facts.ts";
import { type PolicyWord, readPolicy } from "./policy.ts";
import type { AllowReason, DenyReason } from "./reasons.ts";
import { type ConsentRecord, latestConsentRecord, readConsentRecords } from "./receipts.ts";
import { isGlobalPrivacyControl, isToldNotToTrack } from "./signals.ts";
import { isCi, isNo, isPresent, isRaised, isTruthy, isYes, wordOf } from "./words.ts";

/**
 * `coversVersion` is the version of the plan that the consent covers: the one that a stored answer was given
 * for, or the version in force if the environment allows sending. What a later version adds is withheld.
 */
export type Decision =
  | { readonly allow: true; readonly reason: AllowReason; readonly coversVersion: number }
  | { readonly allow: false; readonly reason: DenyReason };

interface Known {
  readonly facts: Facts;
  /** The values of the mode variable and the opt-in variable, normalised by `wordOf`. */
  readonly mode: string;
  readonly optIn: string;
  readonly policy: PolicyWord;
  readonly receiptsReadable: boolean;
  /** The stored answer in force for the source; undefined if there is none. */
  readonly answer: ConsentRecord | undefined;
}

type Denial = readonly [reason: DenyReason, holds: (known: Known) => boolean];
/**
 * `covers` returns the version of the plan that the consent covers, or undefined if there is no such consent.
 */
type Grant = readonly [reason: AllowReason, covers: (known: Known) => number | undefined];

/** Ordered: the first denial that applies is the reason shown to the operator. */
const DENIALS: readonly Denial[] = [
  ["environment_disable", ({ facts }) => isDisabled(facts)],
  ["environment_off", ({ mode }) => isNo(mode)],
  ["environment_do_not_track", ({ facts }) => isRaised(wordOf(facts.environment, "DO_NOT_TRACK"))],
  // Installs in CI systems are not made by people, so they must not be counted. A server in a CI system may
  // still send.
  ["environment_ci", ({ facts }) => facts.source === "installer" && isCi(facts.environment)],
  ["environment_opt_in_off", ({ facts, optIn }) => facts.rule === "opt-in" && optIn !== "" && !isYes(optIn)],
  ["product_off", ({ facts }) => facts.allowed === false],
  ["browser_gpc", ({ facts }) => facts.source === "client" && isGlobalPrivacyControl(facts.signals)],
  ["browser_dnt", ({ facts }) => facts.source === "client" && isToldNotToTrack(facts.signals)],
  ["policy_off", ({ policy }) => policy === "off"],
  ["policy_unreadable", ({ policy }) => policy === "unreadable"],
  ["receipt_unreadable", ({ receiptsReadable }) => !receiptsReadable],
  ["stored_no", ({ answer }) => answer?.answer === "no"],
  // Checked after the refusals, so that a No takes effect while the product is undecided.
  ["product_undecided", ({ facts }) => facts.allowed === null],
  // Checked after the refusals, because messages of a refused source are not printed either. Checked before
  // the consents, because printing needs no consent.
  ["log_mode", ({ mode }) => mode === "log"],
  ["consent_stale", ({ facts, answer }) => isConsent(answer, facts) && isForAnotherPlan(answer, facts)],
];

/** Checked only if nothing denies. */
const GRANTS: readonly Grant[] = [
  ["consented", ({ answer }) => (answer?.answer === "yes" ? answer.planVersion : undefined)],
  ["notice_shown", ({ facts, answer }) => (isConsent(answer, facts) ? answer.planVersion : undefined)],
  ["switch_offered", ({ facts }) => (isSwitchOffered(facts) ? facts.plan.version : undefined)],
  [
    "environment_opt_in",
    ({ facts, optIn }) => (facts.rule === "opt-in" && isYes(optIn) ? facts.plan.version : undefined),
  ],
];

/** Decides whether a source may send. Any doubt denies. Pure; never throws. */
export function decide(facts: Facts): Decision {
  const known = readFacts(facts);
  for (const [reason, holds] of DENIALS) {
    if (holds(known)) return { allow: false, reason };
  }
  for (const [reason, covers] of GRANTS) {
    const coversVersion = covers(known);
    if (coversVersion !== undefined) return { allow: true, reason, coversVersion };
  }
  return { allow: false, reason: facts.rule === "opt-in" ? "consent_missing" : "notice_missing" };
}

function readFacts(facts: Facts): Known {
  const { environment, switches } = facts;
  const receipts = facts.receipts === null ? undefined : readConsentRecords(facts.receipts ?? "");
  return {
    facts,
    mode: wordOf(environment, switches.mode),
    optIn: wordOf(environment, switches.optIn),
    policy: readPolicy(facts.policy, facts.product),
    receiptsReadable: receipts !== undefined,
    answer: latestConsentRecord(receipts ?? [], facts.source),
  };
}

function isDisabled({ environment, switches }: Facts): boolean {
  return switches.disable.some((name) => isTruthy(wordOf(environment, name)));
}

/** Whether an answer is a consent. A Yes is one under either rule, a notice only under the notice rule. */
function isConsent(answer: ConsentRecord | undefined, { rule }: Facts): answer is ConsentRecord {
  return answer?.answer === "yes" || (rule === "notice" && answer?.answer === "notice");
}

/**
 * Whether the consent was given for another plan: for a newer version (after a downgrade, nobody knows what
 * that version collected), or for the same version with another hash.
 */
function isForAnotherPlan(answer: ConsentRecord, { plan }: Facts): boolean {
  return (
    answer.planVersion > plan.version ||
    (answer.planVersion === plan.version && answer.planHash !== plan.hash)
  );
}

/**
 * Whether one of the product's disable variables is set, to any value: then the operator had the switch
 * before the first start, for example in a container's env file. False under the opt-in rule, and for an
 * installer, which offers no switch in advance.
 */
function isSwitchOffered({ rule, source, environment, switches }: Facts): boolean {
  if (rule !== "notice" || source === "installer") return false;
  return switches.disable.some((name) => isPresent(environment, name));
}
