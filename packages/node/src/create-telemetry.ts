/**
 * Opens a product's telemetry and handles the product's calls. No call throws, whatever the product passes.
 */
import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { clearTimeout, setTimeout } from "node:timers";
import { isDate } from "node:util/types";
import { toText } from "@candor/envelope/unknown-value";
import { MAX_TIMER_MS, machineClock } from "./clock.ts";
import { printNotice } from "./consent/answers.ts";
import { Core } from "./core.ts";
import { createGateway, type Gateway } from "./gateway/gateway.ts";
import type { GatewayOptions } from "./gateway/options.ts";
import type { GeneratedPlan } from "./generated-plan.ts";
import { createInspector } from "./inspector/inspector.ts";
import { checkKeepAlive, type KeepAliveOptions } from "./keep-alive.ts";
import type { Draft } from "./message.ts";
import { copyPlain } from "./plain-copy.ts";
import { SOURCES } from "./scope.ts";
import { readSettings, type TelemetryOptions, UNREADABLE } from "./settings.ts";
import type { About, FlushOptions, Status, Telemetry } from "./telemetry.ts";

const STDERR = 2;

/**
 * Opens a product's telemetry. If the options are unusable, telemetry is off and `status().problems` says
 * what to write instead.
 * @example
 * const telemetry = createTelemetry({ plan, source: "server", writeKey, host, stateDir: "/data/telemetry" });
 * telemetry.track("execute_ACTION_TRIGGERED", { pluginName: "PostgreSQL", isSuccessfulExecution: true });
 */
export function createTelemetry<P extends GeneratedPlan>(options: TelemetryOptions<P>): Telemetry<P> {
  const read = readSettings(options);
  if ("problems" in read) return createOff(read.problems, read.debug);
  const { settings } = read;
  try {
    return createFacade(new Core({ settings, clock: machineClock, random: randomFraction, print }));
  } catch {
    return createOff([`options: ${UNREADABLE}`], settings.debug);
  }
}

function createOff<P extends GeneratedPlan>(
  problems: readonly string[],
  debug: (line: string) => void,
): Telemetry<P> {
  for (const problem of problems) debug(problem);
  return createOffFacade(problems);
}

function randomFraction(): number {
  return randomBytes(4).readUInt32BE() / 2 ** 32;
}

/** Writes to stderr directly, because `process.stderr` would end the process once its reader is gone. */
function print(line: string): void {
  try {
    writeSync(STDERR, `telemetry (log): ${line}\n`);
  } catch {
    // Nobody reads stderr.
  }
}

const FLUSH_TIMEOUT_MS = 5000;
/** The range of times that the collector's store can hold, epoch milliseconds. `to` is exclusive. */
const YEARS_MS = { from: Date.UTC(1900, 0, 1), to: Date.UTC(2299, 0, 1) };
const NO_NAMES: ReadonlySet<string> = new Set();

/** Implements the product's calls for usable options. */
export function createFacade<P extends GeneratedPlan>(core: Core): Telemetry<P> {
  const namesOf = declaredNames(core);
  const toDraft = (type: Draft["type"], name: unknown, who: Who, values: unknown, about?: About): Draft => {
    const label = toText(name);
    const { copy, hasUndeclared } = toValues(values, namesOf(type, label));
    return {
      type,
      name: label,
      userId: toText(who.userId ?? about?.userId),
      anonymousId: undefined,
      groupId: toText(who.groupId),
      values: copy,
      hasUndeclared,
      context: {},
      timestampMs: timeOf(about?.timestamp) ?? core.clock.now(),
    };
  };
  const record = (type: Draft["type"], name: unknown, who: Who, values: unknown, about?: About): void => {
    const draft = core.isOn() ? orElse(() => toDraft(type, name, who, values, about), "unreadable") : "off";
    if (typeof draft === "string") core.counts.drop(draft);
    else core.record("server", draft);
  };
  const flush = async (options?: FlushOptions): Promise<boolean> => {
    const { session } = core;
    if (session === undefined) return true; // off: nothing to send, and no timer
    return within(toTimeoutMs(options), session.flush());
  };
  return {
    track: (event, ...[properties, about]) => record("track", event, {}, properties, about),
    page: (name, ...[properties, about]) => record("page", name, {}, properties, about),
    screen: (name, ...[properties, about]) => record("screen", name, {}, properties, about),
    identify: (userId, traits, about) => record("identify", undefined, { userId }, traits, about),
    group: (groupId, traits, about) => record("group", undefined, { groupId }, traits, about),
    keepAlive: (options) => keepAlive(core, options),
    answer: (answer, sources = answer === "no" ? SOURCES : ["server"]) =>
      orElse(() => core.answer([...sources], answer, "product"), false),
    noticeOnce: (show = printNotice) => orElse(() => core.noticeOnce(show), false),
    flush,
    close: async (options) => {
      await flush(options);
      core.close();
    },
    status: () => describe(core),
    gateway: (options) => openGateway(core, options),
    inspector: (options) =>
      orElse(() => createInspector({ core }, options), undefined) ?? createInspector({ core }),
  };
}

/** Implements the product's calls for unusable options: none of them records, stores or sends anything. */
function createOffFacade<P extends GeneratedPlan>(problems: readonly string[]): Telemetry<P> {
  const counts = { kept: 0, dropped: {}, trimmed: {} };
  const status = {
    state: "off",
    reason: "options_invalid",
    problems,
    sources: {},
    lastFault: undefined,
    refused: {},
    pending: undefined,
    instanceId: undefined,
    counts,
  } as const;
  const nothing = (): void => {};
  return {
    track: nothing,
    page: nothing,
    screen: nothing,
    identify: nothing,
    group: nothing,
    keepAlive: nothing,
    answer: () => false,
    noticeOnce: () => false,
    flush: async () => true,
    close: async () => {},
    status: () => status,
    gateway: () => createGateway(undefined, { writeKey: "" }),
    inspector: (options) =>
      orElse(() => createInspector({ problems }, options), undefined) ?? createInspector({ problems }),
  };
}

function describe(core: Core): Status {
  const { state } = core;
  return {
    state: state.state,
    reason: state.state === "off" ? state.reason : undefined,
    problems: core.problems.list(),
    sources: core.gate.report(),
    lastFault: core.delivery?.lastFault,
    refused: core.delivery?.refused ?? {},
    pending: core.gate.pending(),
    instanceId: core.session?.instance.instanceId,
    counts: core.counts.report(),
  };
}

function keepAlive(core: Core, options: KeepAliveOptions): void {
  const isRead = orElse(() => {
    core.problems.note("keepAlive", checkKeepAlive(options, core.settings, core.clock.now()));
    const { everyHours, healthy, facts } = options;
    if (typeof healthy === "function")
      core.keepAlive({ everyHours, healthy, facts: typeof facts === "function" ? facts : undefined });
    return true;
  }, false);
  if (!isRead) core.problems.note("keepAlive", [`keepAlive: ${UNREADABLE}`]);
}

function openGateway(core: Core, options: GatewayOptions): Gateway {
  const gateway = orElse(() => createGateway(core, options, core.clock), undefined);
  if (gateway === undefined) core.problems.note("gateway", [`gateway: ${UNREADABLE}`]);
  return gateway ?? createGateway(undefined, { writeKey: "" });
}

/**
 * Returns a function that gives the names of the values that the plan declares for an event. Values with
 * other names are not even copied.
 */
function declaredNames(core: Core): (type: string, name: string | undefined) => ReadonlySet<string> {
  const { events } = core.settings.plan;
  const names = new Map<string, ReadonlySet<string>>();
  for (const { type, name, fields } of events) names.set(`${type} ${name}`, new Set(Object.keys(fields)));
  return (type, name) => names.get(`${type} ${name}`) ?? NO_NAMES;
}

interface Who {
  readonly userId?: unknown;
  readonly groupId?: unknown;
}

interface Copied {
  readonly copy: Draft["values"];
  readonly hasUndeclared: boolean;
}

function toValues(values: unknown, names: ReadonlySet<string>): Copied {
  if (typeof values !== "object" || values === null) return { copy: {}, hasUndeclared: false };
  const hasUndeclared = Object.keys(values).some((name) => !names.has(name));
  return { copy: copyPlain(values, names), hasUndeclared };
}

function timeOf(timestamp: unknown): number | undefined {
  const ms = isDate(timestamp) ? Date.prototype.getTime.call(timestamp) : Number.NaN;
  return ms >= YEARS_MS.from && ms < YEARS_MS.to ? ms : undefined;
}

function toTimeoutMs(options: FlushOptions | undefined): number {
  const ms = orElse(() => options?.timeoutMs, undefined);
  const isUsable = typeof ms === "number" && ms >= 0;
  return isUsable ? Math.min(ms, MAX_TIMER_MS) : FLUSH_TIMEOUT_MS;
}

/** Returns `otherwise` if the work throws: reading what a product passes may throw. */
function orElse<Value, Otherwise = Value>(work: () => Value, otherwise: Otherwise): Value | Otherwise {
  try {
    return work();
  } catch {
    return otherwise;
  }
}

/**
 * Resolves to false if the work fails or takes too long. The timer keeps the process alive for the waiting
 * caller.
 */
async function within(timeoutMs: number, work: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([work.catch(() => false), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
