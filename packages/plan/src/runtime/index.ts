/** The entry point for code that checks messages by a plan, without what loading a plan file needs. */
export {
  type ArrayType,
  type ConsentRule,
  consentOf,
  type Field,
  type FieldAbout,
  type Fields,
  type FieldType,
  type IdName,
  type InstanceIdPath,
  type IpPolicy,
  type JsonExample,
  labelOf,
  modeSwitch,
  type NumberType,
  type ObjectType,
  PLAN_SOURCES,
  type Plan,
  type PlanChange,
  type PlanEvent,
  type PlanMode,
  type PlanSource,
  type PlanSourceName,
  type PlanSwitches,
  type Sensitivity,
  type StringFormat,
  type StringType,
  type UserAgentPolicy,
  usualInstanceIds,
} from "../plan.ts";
export { isAddress, toCanonicalAddress, truncateAddress } from "./address.ts";
export { applyAddressPolicy } from "./address-policy.ts";
export { type BrowserContext, type BrowserEvent, type BrowserPlan, toBrowserPlan } from "./browser-plan.ts";
export { type CheckedMessage, type CompiledPlan, compilePlan, eventKey, UNKNOWN_EVENT } from "./compile.ts";
export { instanceIdOf, isOfInstance, type NamedMessage } from "./instance-id.ts";
export { narrowPlan, newestSince, type Withheld, withheldOf } from "./narrow.ts";
export type { Redactors } from "./place.ts";
export {
  type Contact,
  type RefuseReason,
  TRIM_REASONS,
  type Trim,
  type TrimReason,
  type Verdict,
} from "./verdict.ts";
