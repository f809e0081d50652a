export { isAddress, toCanonicalAddress, truncateAddress } from "./address.ts";
export type { Reducers } from "./check-value.ts";
export { type CompiledPlan, compilePlan, type JudgedMessage, UNKNOWN_EVENT } from "./compile.ts";
export {
  type Contact,
  type Judgement,
  type RefuseReason,
  TRIM_REASONS,
  type Trim,
  type TrimReason,
} from "./judgement.ts";
