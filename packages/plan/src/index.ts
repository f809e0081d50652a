/** The entry point of the plan package. */
export type { MeasuredAnonymity } from "./describe/anonymity.ts";
export { describePlan } from "./describe/describe.ts";
export { renderHtml } from "./describe/html.ts";
export { renderMarkdown } from "./describe/markdown.ts";
export { PAGE_STYLE } from "./describe/style.ts";
export { checkNewVersion, diffPlans } from "./diff.ts";
export type { DifferenceKind, PlanDifference } from "./difference.ts";
export { planFormatPage } from "./format-page.ts";
export { generateCommonJs, generateJavaScript } from "./generate/javascript.ts";
export { generateShell } from "./generate/shell.ts";
export { listShellGaps, type ShellGap } from "./generate/shell-gaps.ts";
export { generateTypeScript } from "./generate/typescript.ts";
export { loadPlan, locateInPlan } from "./load.ts";
export { factsOf, heartbeatOf, installLinkOf, pageEventsOf, usageEventsOf } from "./marks.ts";
export {
  type ArrayType,
  CONSENT_RULES,
  type ConsentRule,
  consentOf,
  type Field,
  type FieldAbout,
  type Fields,
  type FieldType,
  ID_NAMES,
  type IdName,
  type InstanceIdPath,
  IP_POLICIES,
  type IpPolicy,
  type JsonExample,
  labelOf,
  type Measure,
  modeSwitch,
  type NumberType,
  type ObjectType,
  PLAN_MODES,
  PLAN_SOURCES,
  type Plan,
  type PlanChange,
  type PlanEvent,
  type PlanMode,
  type PlanSource,
  type PlanSourceName,
  type PlanSwitches,
  rootOf,
  SENSITIVITIES,
  type Sensitivity,
  STRING_FORMATS,
  type StringFormat,
  type StringType,
  USER_AGENT_POLICIES,
  type UserAgentPolicy,
  usualDisableSwitch,
} from "./plan.ts";
export { PlanError, type PlanFault } from "./plan-error.ts";
export { hashPlan } from "./plan-hash.ts";
export { planSchema } from "./schema-file.ts";
