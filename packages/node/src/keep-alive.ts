/**
 * Sends a heartbeat every few hours while the product is healthy, one for all processes that share a state
 * folder.
 */
import { randomBytes } from "node:crypto";
import { clearTimeout, setTimeout } from "node:timers";
import { isRecord } from "@candor/envelope/unknown-value";
import { type Clock, planTask } from "./clock.ts";
import { checkHeartbeat, type HeartbeatSettings } from "./heartbeat.ts";
import { findNoNumber, findOtherType, findUnknown } from "./problems.ts";
import { Lease } from "./state/lease.ts";
import { readObject, replaceFile, type StateFolder } from "./state/state-folder.ts";

const HOUR_MS = 60 * 60_000;
/** The first heartbeat after a start waits at least for a random time within this range. */
const FIRST_AFTER_MS = { least: 2 * 60_000, most: 5 * 60_000 };
/** Up to this share of the interval is added, so that instances do not all send at once. */
const JITTER = 0.05;
/** The delay before the next attempt if the product is not healthy, or if another replica holds the lease. */
const AGAIN_AFTER_MS = 5 * 60_000;
const HEALTHY_TIMEOUT_MS = 10_000;
const HOURS = { least: 1, most: 7 * 24, usual: 6 };

export interface KeepAliveOptions<Facts extends object = object> {
  /**
   * Hours between two heartbeats, from 1 to 168 (a week). A positive number below 1 counts as 1, a number
   * above 168 as 168, and anything else as 6. Up to 5% more is added at random.
   * @default 6
   */
  readonly everyHours?: number | undefined;
  /**
   * The product's own health check: unless it returns or resolves to `true` within 10 s, no heartbeat is
   * sent.
   */
  readonly healthy: () => boolean | Promise<boolean>;
  /**
   * What the product says about itself in each heartbeat, such as its version: properties of the plan's
   * event.
   * @default nothing
   */
  readonly facts?: (() => Facts) | undefined;
}

const NAMES = Object.keys({ everyHours: true, healthy: true, facts: true } satisfies {
  readonly [Name in keyof KeepAliveOptions]-?: true;
});

/**
 * Lists what is wrong with the options, or with the plan's heartbeat event.
 * @throws whatever reading the options throws
 */
export function checkKeepAlive(
  options: KeepAliveOptions,
  settings: HeartbeatSettings,
  nowMs: number,
): readonly string[] {
  const given: Partial<Record<keyof KeepAliveOptions, unknown>> = isRecord(options) ? options : {};
  const { everyHours, healthy, facts } = given;
  return [
    ...(typeof healthy === "function" ? [] : [HEALTHY_MISSING]),
    ...findOtherType("keepAlive.facts", facts, "function", "a function that returns an object"),
    ...checkHeartbeat(settings, typeof facts === "function" ? options.facts : undefined, nowMs),
    ...findNoNumber("keepAlive.everyHours", everyHours, "a number of hours", HOURS.least, HOURS.most),
    ...findUnknown(given, NAMES, "keepAlive."),
  ];
}

const HEALTHY_MISSING =
  "keepAlive.healthy: give a function that returns true while the product works. Without it there is no heartbeat.";

/** The content of keep-alive.json. */
export interface KeepAliveState {
  /** When the last heartbeat was made, epoch milliseconds; undefined if never. */
  readonly lastAtMs: number | undefined;
  /** The nonce of the last start, 16 hex digits. */
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

/** @throws a file system error */
function writeKeepAlive(file: string, { lastAtMs, boot }: KeepAliveState): void {
  const lastAt = lastAtMs === undefined ? undefined : new Date(lastAtMs).toISOString();
  replaceFile(file, `${JSON.stringify({ lastAt, boot })}\n`);
}

/**
 * Milliseconds until the next heartbeat is due; 0 if it is due now. If the last heartbeat lies in the future,
 * the clock has been set back since, and the heartbeat is treated as sent now.
 */
function untilDueMs(lastAtMs: number | undefined, nowMs: number, everyMs: number): number {
  if (lastAtMs === undefined) return 0;
  return Math.max(0, Math.min(lastAtMs, nowMs) + everyMs - nowMs);
}

function toEveryMs(everyHours: number | undefined): number {
  const hours = typeof everyHours === "number" && everyHours > 0 ? everyHours : HOURS.usual;
  return Math.min(Math.max(hours, HOURS.least), HOURS.most) * HOUR_MS;
}

/** Stores when the last heartbeat was sent, and decides which process sends the next one. */
export interface KeepAlivePlace {
  read(): KeepAliveState;
  /** @throws a file system error */
  write(state: KeepAliveState): void;
  /** Returns true if this process may send the next heartbeat. @throws a file system error */
  take(): Promise<boolean>;
  release(): void;
}

/** Keeps the state in the state folder, which restarts and replicas share. */
export function sharedPlace(folder: StateFolder, now: () => number): KeepAlivePlace {
  const lease = new Lease({ path: folder.keepAliveLease, now });
  return {
    read: () => readKeepAlive(folder.keepAlive),
    write: (state) => writeKeepAlive(folder.keepAlive, state),
    take: () => lease.take(),
    release: () => lease.release(),
  };
}

/** Keeps the state in memory only, for `log` mode. */
export function ephemeralPlace(): KeepAlivePlace {
  let kept: KeepAliveState = { lastAtMs: undefined, boot: undefined };
  return {
    read: () => kept,
    write: (state) => {
      kept = state;
    },
    take: () => Promise.resolve(true),
    release: () => {},
  };
}

export interface KeepAliveLoopOptions {
  readonly place: KeepAlivePlace;
  readonly clock: Clock;
  readonly random: () => number;
  readonly keepAlive: KeepAliveOptions;
  /** Reads consent, and aborts the signal if nothing may be sent any more. Called before each heartbeat. */
  readonly update: () => void;
  /** Once aborted, no heartbeat is planned or sent. */
  readonly signal: AbortSignal;
  /**
   * Records a heartbeat.
   * @param boot the nonce of the last start, 16 hex digits
   * @param atMs the time stored for this heartbeat, epoch milliseconds
   */
  readonly ping: (boot: string, atMs: number) => void;
  readonly onFault: (error: unknown) => void;
}

/**
 * Sends a heartbeat every few hours. The time of the last heartbeat is kept in the state folder, so that
 * restarts and replicas cause no further ones. The first heartbeat is sent only after some minutes: a process
 * that ends before that was not healthy.
 */
export class KeepAliveLoop {
  readonly #options: KeepAliveLoopOptions;
  readonly #everyMs: number;
  #dueAtMs: number | undefined;

  constructor(options: KeepAliveLoopOptions) {
    this.#options = options;
    this.#everyMs = toEveryMs(options.keepAlive.everyHours);
  }

  /** Writes this start's nonce, and plans the first heartbeat. @throws a file system error */
  start(): void {
    const { place, clock, random } = this.#options;
    const { lastAtMs } = place.read();
    place.write({ lastAtMs, boot: randomBytes(8).toString("hex") });
    const dueMs = untilDueMs(lastAtMs, clock.now(), this.#everyMs);
    this.#plan(
      Math.max(dueMs, FIRST_AFTER_MS.least + random() * (FIRST_AFTER_MS.most - FIRST_AFTER_MS.least)),
      lastAtMs,
    );
  }

  /**
   * When this process next asks whether the product is healthy, to send a heartbeat if it is. Epoch
   * milliseconds; undefined if it will not ask.
   */
  get dueAtMs(): number | undefined {
    return this.#isStopped ? undefined : this.#dueAtMs;
  }

  get #isStopped(): boolean {
    return this.#options.signal.aborted;
  }

  /**
   * Plans the next attempt.
   * @param lastAtMs the time of the last heartbeat, as known now. If it has changed by the time of the
   * attempt, a replica has sent one
   */
  #plan(afterMs: number, lastAtMs: number | undefined): void {
    const { clock, signal } = this.#options;
    this.#dueAtMs = clock.now() + afterMs;
    planTask(clock, afterMs, () => void this.#run(lastAtMs), signal);
  }

  async #run(knownAtMs: number | undefined): Promise<void> {
    try {
      const { isMade, lastAtMs } = await this.#makeOne(knownAtMs);
      const { clock, random } = this.#options;
      const isThere = isMade || lastAtMs !== knownAtMs;
      const dueMs = untilDueMs(lastAtMs, clock.now(), this.#everyMs);
      const jitterMs = this.#everyMs * JITTER * random();
      this.#plan(isThere ? dueMs + jitterMs : AGAIN_AFTER_MS, lastAtMs);
    } catch (error) {
      if (!this.#isStopped) this.#options.onFault(error);
    }
  }

  async #makeOne(knownAtMs: number | undefined): Promise<{ isMade: boolean; lastAtMs: number | undefined }> {
    const { place, clock, keepAlive, update, ping } = this.#options;
    const isHealthy = await askHealthy(keepAlive.healthy);
    update();
    if (this.#isStopped) return { isMade: false, lastAtMs: knownAtMs };
    if (!isHealthy || !(await place.take())) {
      return { isMade: false, lastAtMs: place.read().lastAtMs };
    }
    try {
      const { lastAtMs, boot } = place.read();
      if (this.#isStopped || lastAtMs !== knownAtMs) return { isMade: false, lastAtMs };
      const nonce = boot ?? randomBytes(8).toString("hex");
      const madeAtMs = clock.now();
      place.write({ lastAtMs: madeAtMs, boot: nonce });
      ping(nonce, madeAtMs);
      return { isMade: true, lastAtMs: madeAtMs };
    } finally {
      place.release();
    }
  }
}

/** Asks whether the product is healthy; false unless it answers `true` in time. Never rejects. */
async function askHealthy(healthy: () => boolean | Promise<boolean>): Promise<boolean> {
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
