/** The entry point of the consent package. */
export { CI_SYSTEMS, type CiSystem } from "./ci-systems.ts";
export { type Decision, decide } from "./decide.ts";
export { type Facts, RULES, type Rule, type Signals, SOURCES, type Source, type Switches } from "./facts.ts";
export { readPolicy } from "./policy.ts";
export { ALLOW_REASONS, type AllowReason, DENY_REASONS, type DenyReason } from "./reasons.ts";
export {
  type Answer,
  type ConsentRecord,
  type Giver,
  latestConsentRecord,
  readConsentRecords,
  writeConsentRecord,
} from "./receipts.ts";
export { isWithheld } from "./withheld.ts";
export { isCi } from "./words.ts";
