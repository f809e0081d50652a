import type { Answer, DenyReason } from "@candor/consent";
import type { RuleStatus, SourceStatus } from "./status.ts";

/** One thing that the operator can answer, as a button says it. */
export interface Offer {
  readonly answer: Answer;
  readonly text: string;
  /** The collector deletes what it holds of this instance before the answer is stored. */
  readonly deleteFirst?: boolean;
}

/** What an answer can change. Everything else stands in the environment, in the machine's policy, or in a browser. */
const ANSWERABLE: readonly DenyReason[] = [
  "receipt_unreadable",
  "stored_no",
  "consent_stale",
  "notice_missing",
  "consent_missing",
];

/** What the operator can answer for a source now. @param planVersion what an answer is given for */
export function offersOf({ source, answer, rules }: SourceStatus, planVersion: number): readonly Offer[] {
  const offers: Offer[] = [];
  const of = `the ${source}'s telemetry`;
  const hasNew = rules.some(
    ({ allow, withheld }) => allow && withheld.events.length + withheld.fields.length > 0,
  );
  const notice = rules.find(({ rule }) => rule === "notice");
  const optIn = rules.find(({ rule }) => rule === "opt-in");
  if (hasNew) {
    const same = answer?.answer === "yes" ? "yes" : "notice";
    offers.push({ answer: same, text: `Agree to what is new in version ${planVersion} of the plan` });
  }
  if (isAnswerable(notice))
    offers.push({ answer: "notice", text: `Turn ${of} on${optIn ? ", but what needs a Yes" : ""}` });
  if (isAnswerable(optIn))
    offers.push({ answer: "yes", text: `Turn ${of} on${notice ? ", all of it" : ""}` });
  if (answer?.answer !== "no") {
    const isOn = rules.some(({ allow }) => allow);
    offers.push({ answer: "no", text: isOn ? `Turn ${of} off` : `Say No to ${of}` });
  }
  return offers;
}

function isAnswerable(status: RuleStatus | undefined): boolean {
  return status !== undefined && !status.allow && ANSWERABLE.some((reason) => reason === status.reason.code);
}
