/** Decides whether a source may send: an ordered list of reasons to deny, then of reasons to allow. */
import type { Facts } from "./facts.ts";
import { type PolicyWord, readPolicy } from "./policy.ts";
import type { AllowReason, DenyReason } from "./reasons.ts";
import { type ConsentRecord, latestConsentRecord, readConsentRecords } from "./receipts.ts";
import { isGlobalPrivacyControl, isToldNotToTrack } from "./signals.ts";
import { isCi, isNo, isPresent, isRaised, isTruthy, isYes, wordOf } from "./words.ts";

/** `coversVersion`: the version of the plan that the consent was given for; what a later version adds is withheld. */
export type Decision =
  | { readonly allow: true; readonly reason: AllowReason; readonly coversVersion: number }
  | { readonly allow: false; readonly reason: DenyReason };

/** The facts, with the contents of the files parsed. */
interface Known {
  readonly facts: Facts;
  /** Normalised values of environment variables, see `wordOf`. */
  readonly mode: string;
  readonly optIn: string;
  readonly policy: PolicyWord;
  readonly receiptsReadable: boolean;
  /** The stored answer in force for the source. */
  readonly answer: ConsentRecord | undefined;
}

type Denial = readonly [reason: DenyReason, holds: (known: Known) => boolean];
/** `covers` returns the version of the plan that it is a consent for, or undefined if it is none. */
type Grant = readonly [reason: AllowReason, covers: (known: Known) => number | undefined];

/** Order matters: the first that holds is the reason shown to the operator. */
const DENIALS: readonly Denial[] = [
  ["environment_disable", ({ facts }) => isDisabled(facts)],
  ["environment_off", ({ mode }) => isNo(mode)],
  ["environment_do_not_track", ({ facts }) => isRaised(wordOf(facts.environment, "DO_NOT_TRACK"))],
  // An install by a machine must not count as one by a person. A server in a CI system is a server all the same.
  ["environment_ci", ({ facts }) => facts.source === "installer" && isCi(facts.environment)],
  ["environment_opt_in_off", ({ facts, optIn }) => facts.rule === "opt-in" && optIn !== "" && !isYes(optIn)],
  ["product_off", ({ facts }) => facts.allowed === false],
  ["browser_gpc", ({ facts }) => facts.source === "client" && isGlobalPrivacyControl(facts.signals)],
  ["browser_dnt", ({ facts }) => facts.source === "client" && isToldNotToTrack(facts.signals)],
  ["policy_off", ({ policy }) => policy === "off"],
  ["policy_unreadable", ({ policy }) => policy === "unreadable"],
  ["receipt_unreadable", ({ receiptsReadable }) => !receiptsReadable],
  ["stored_no", ({ answer }) => answer?.answer === "no"],
  // After the refusals, so that a No takes effect in the meantime.
  ["product_undecided", ({ facts }) => facts.allowed === null],
  // After the refusals: a refused source is not printed either. Before the consents: printing needs none.
  ["log_mode", ({ mode }) => mode === "log"],
  ["consent_stale", ({ facts, answer }) => isConsent(answer, facts) && isForAnotherPlan(answer, facts)],
];

/** Only reached if nothing denies. */
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

/** A Yes is a consent under either rule, a notice only where a notice is enough. */
function isConsent(answer: ConsentRecord | undefined, { rule }: Facts): answer is ConsentRecord {
  return answer?.answer === "yes" || (rule === "notice" && answer?.answer === "notice");
}

/** After a downgrade nobody knows what the newer plan collected, and one version with two hashes is two plans. */
function isForAnotherPlan(answer: ConsentRecord, { plan }: Facts): boolean {
  return (
    answer.planVersion > plan.version ||
    (answer.planVersion === plan.version && answer.planHash !== plan.hash)
  );
}

/** An env file gave a container's operator the switch before the first start. An installer offers no such thing. */
function isSwitchOffered({ rule, source, environment, switches }: Facts): boolean {
  if (rule !== "notice" || source === "installer") return false;
  return switches.disable.some((name) => isPresent(environment, name));
}
