import { clearTimeout, setTimeout } from "node:timers";
import type { Plan } from "@candor/plan/runtime";
import { checkHeartbeat } from "./heartbeat.ts";
import { isRecord } from "./json.ts";
import { findNoNumber, findOtherType, findUnknown } from "./option-problems.ts";
import { readObject, replaceFile } from "./state/state-folder.ts";

const HOUR_MS = 60 * 60_000;
/** The first heartbeat comes 2 to 5 minutes after the start. */
const FIRST_AFTER_MS = { least: 2 * 60_000, most: 5 * 60_000 };
/** Up to this part of the interval is added, so that instances do not all call at once. */
const JITTER = 0.05;
/** An instance that is not healthy, or whose lease another replica holds, is asked again after this. */
const AGAIN_AFTER_MS = 5 * 60_000;
const HEALTHY_TIMEOUT_MS = 10_000;
const HOURS = { least: 1, most: 7 * 24, usual: 6 };

export interface KeepAliveOptions<Facts extends object = object> {
  /** Hours between two signs of life, from 1 to 168 (a week); more counts as 168. @default 6 */
  readonly everyHours?: number | undefined;
  /** The product's own health check: without `true` (or when it throws, or takes over 10 s) nothing is sent. */
  readonly healthy: () => boolean | Promise<boolean>;
  /** What the product says of itself with each heartbeat, such as its version: properties of the plan's event. @default nothing */
  readonly facts?: (() => Facts) | undefined;
}

const NAMES = Object.keys({ everyHours: true, healthy: true, facts: true } satisfies {
  readonly [Name in keyof KeepAliveOptions]-?: true;
});

/** What is wrong with the options, or with the plan, for signs of life. @throws what the options throw when they are read */
export function checkKeepAlive(options: KeepAliveOptions, plan: Plan, nowMs: number): readonly string[] {
  const given: Partial<Record<keyof KeepAliveOptions, unknown>> = isRecord(options) ? options : {};
  const { everyHours, healthy, facts } = given;
  return [
    ...(typeof healthy === "function" ? [] : [HEALTHY_MISSING]),
    ...findOtherType("keepAlive.facts", facts, "function", "a function that returns an object"),
    ...checkHeartbeat(plan, typeof facts === "function" ? options.facts : undefined, nowMs),
    ...findNoNumber("keepAlive.everyHours", everyHours, "a number of hours", HOURS.least, HOURS.most),
    ...findUnknown(given, NAMES, "keepAlive."),
  ];
}

const HEALTHY_MISSING =
  "keepAlive.healthy: give a function that returns true while the product works. Without it there is no heartbeat.";

/** What keep-alive.json holds. */
export interface KeepAliveState {
  /** When the last heartbeat was made, epoch milliseconds; undefined: never. */
  readonly lastAtMs: number | undefined;
  /** The nonce of the last start, 16 hex. */
  readonly boot: string | undefined;
}

export function readKeepAlive(file: string): KeepAliveState {
  const { lastAt, boot } = readObject(file) ?? {};
  const lastAtMs = typeof lastAt === "string" ? Date.parse(lastAt) : Number.NaN;
  return {
    lastAtMs: Number.isNaN(lastAtMs) ? undefined : lastAtMs,
    boot: typeof boot === "string" && /^[0-9a-f]{16}$/.test(boot) ? boot : undefined,
  };
}

/** @throws the file system's error */
export function writeKeepAlive(file: string, { lastAtMs, boot }: KeepAliveState): void {
  const lastAt = lastAtMs === undefined ? undefined : new Date(lastAtMs).toISOString();
  replaceFile(file, `${JSON.stringify({ lastAt, boot })}\n`);
}

/**
 * How long until the next heartbeat is due, 0 when it is. One in the future was written under another clock: it
 * counts as made now.
 */
export function untilDueMs(lastAtMs: number | undefined, nowMs: number, everyMs: number): number {
  if (lastAtMs === undefined) return 0;
  return Math.max(0, Math.min(lastAtMs, nowMs) + everyMs - nowMs);
}

/** Delays, with jitter. @param random 0 to 1 */
export const keepAliveDelays = {
  firstMs: (random: number) => FIRST_AFTER_MS.least + random * (FIRST_AFTER_MS.most - FIRST_AFTER_MS.least),
  againMs: AGAIN_AFTER_MS,
  jitterMs: (everyMs: number, random: number) => everyMs * JITTER * random,
};

/** `everyHours` in milliseconds: at least an hour, at most a week; 6 hours when it is no number. */
export function toEveryMs(everyHours: number | undefined): number {
  const hours = typeof everyHours === "number" && everyHours > 0 ? everyHours : HOURS.usual;
  return Math.min(Math.max(hours, HOURS.least), HOURS.most) * HOUR_MS;
}

/** Asks the product; false when it does not say `true` in time. Never rejects. */
export async function askHealthy(healthy: () => boolean | Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), HEALTHY_TIMEOUT_MS).unref();
  });
  try {
    return (await Promise.race([healthy(), timeout])) === true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
