/** The public API of @candor/node. */
export {
  ALLOW_REASONS,
  type AllowReason,
  type Answer,
  DENY_REASONS,
  type DenyReason,
} from "@candor/consent";
export type { PendingPlan, SourcePermission } from "./consent/gate.ts";
export type { CountsReport } from "./counts.ts";
export { createTelemetry } from "./create-telemetry.ts";
export type { GatewayReport } from "./gateway/answer.ts";
export type { Gateway } from "./gateway/gateway.ts";
export type { ClientAddress } from "./gateway/messages.ts";
export type { GatewayOptions } from "./gateway/options.ts";
export type { GatewayRequest } from "./gateway/request.ts";
export type { GeneratedPlan } from "./generated-plan.ts";
export type { InspectorHandler, InspectorOptions } from "./inspector/inspector.ts";
export type { OneTimeLinkOptions } from "./inspector/one-time-link.ts";
export type { KeepAliveOptions } from "./keep-alive.ts";
export { DROP_REASONS, type DropReason, OFF_REASONS, type OffReason } from "./reasons.ts";
export type { Source } from "./scope.ts";
export { explainFault } from "./send/retry.ts";
export type { TelemetryOptions } from "./settings.ts";
export type { About, FlushOptions, Status, Telemetry } from "./telemetry.ts";
