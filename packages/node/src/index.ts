export type { Gateway, GatewayOptions } from "./gateway/gateway.ts";
export type { GeneratedPlan } from "./generated-plan.ts";
export type { InspectorHandler, InspectorOptions } from "./inspector/inspector.ts";
export type { KeepAliveOptions } from "./keep-alive.ts";
export { DROP_REASONS, type DropReason, OFF_REASONS, type OffReason } from "./reasons.ts";
export type { TelemetryOptions } from "./settings.ts";
export { assertSilent, type SilenceOptions } from "./silence/assert-silent.ts";
export type { Happening, HappeningKind, SilenceError } from "./silence/happening.ts";
export { type About, createTelemetry, type FlushOptions, type Status, type Telemetry } from "./telemetry.ts";
