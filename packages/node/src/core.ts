/** Runs one product's telemetry: starts and ends its session, records messages and stores answers. */
import type { Answer, DenyReason, Giver, Signals } from "@candor/consent";
import { codeOf } from "@candor/envelope/unknown-value";
import type { Clock } from "./clock.ts";
import { Answers, isAnswer, writeNotice } from "./consent/answers.ts";
import { ConsentGate, type SourceDecisions } from "./consent/gate.ts";
import { Counts } from "./counts.ts";
import { discardRefused } from "./erase.ts";
import type { KeepAliveOptions } from "./keep-alive.ts";
import type { Draft } from "./message.ts";
import { createWarnOnce, NO_EVENTS, Problems, type WarnOnce } from "./problems.ts";
import { type DropReason, type OffReason, UNREADABLE } from "./reasons.ts";
import type { Source } from "./scope.ts";
import { type Delivery, watchDelivery } from "./send/delivery.ts";
import { describeFailed, describeRefused } from "./send/retry.ts";
import { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
import { makeEphemeralInstance, openInstance } from "./state/instance.ts";
import {
  explainOwner,
  keepPlan,
  makeFolder,
  openStateFolder,
  type StateFolder,
} from "./state/state-folder.ts";

/** While telemetry is off, consent is read again before a message is recorded, at most this often. */
const UPDATE_AGAIN_MS = 1000;
/** The delay before the state folder is tried again: a full disk may have space again by then. */
const TRY_AGAIN_MS = 60_000;
/** The delay before the product's own setting is read again, while it is not known yet. */
const ASK_AGAIN_MS = 10_000;

export interface CoreOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: () => number;
  /** Prints one line of `log` mode. */
  readonly print: (line: string) => void;
}

export type CoreState =
  | { readonly state: "on" | "log" }
  | { readonly state: "off"; readonly reason: DenyReason | OffReason };

/**
 * Runs the telemetry of one product. While telemetry is off, this class opens no socket, stores only answers,
 * and sets no timer except the one that reads consent again.
 */
export class Core {
  readonly settings: Settings;
  readonly folder: StateFolder;
  readonly gate: ConsentGate;
  readonly problems: Problems;
  readonly counts = new Counts();
  readonly #options: CoreOptions;
  readonly #answers: Answers;
  readonly #warn: WarnOnce;
  readonly #readDelivery: () => Delivery;
  /**
   * The sources whose messages this process records, each with the write key that its messages carry. The
   * server's messages carry none.
   */
  readonly #writeKeys = new Map<Source, string | undefined>([["server", undefined]]);
  /** The gate's version when the session was last adjusted to it; empty to force an update. */
  #appliedVersion = "";
  #session: Session | undefined;
  #off: DenyReason | OffReason = "notice_missing";
  #updateAgainAtMs = 0;
  #keepAlive: KeepAliveOptions | undefined;
  #isClosed = false;
  #cancelRetry = (): void => {};

  constructor(options: CoreOptions) {
    const { settings, clock } = options;
    this.#options = options;
    this.settings = settings;
    this.folder = openStateFolder(settings.stateDir);
    this.gate = new ConsentGate(settings, this.folder);
    this.#answers = new Answers({ folder: this.folder, settings, now: clock.now });
    this.#warn = createWarnOnce(settings.debug, clock.monotonic);
    this.#readDelivery = watchDelivery(this.folder.delivery);
    this.problems = new Problems(this.#warn);
    this.problems.note("createTelemetry", settings.problems);
    if (!this.gate.hasEvents("server")) this.problems.note("plan", [NO_EVENTS]);
    this.#update();
  }

  get state(): CoreState {
    this.#update();
    if (this.#session === undefined) return { state: "off", reason: this.#off };
    return { state: this.#session.isPrinting ? "log" : "on" };
  }

  get session(): Session | undefined {
    return this.#session;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /** The outcome of sending so far; undefined while telemetry is off or in `log` mode. */
  get delivery(): Delivery | undefined {
    return this.#session?.isPrinting === false ? this.#readDelivery() : undefined;
  }

  decisionsOf(source: Source, signals?: Signals): SourceDecisions {
    return this.gate.decisionsOf(source, signals);
  }

  /** Accepts messages from another source from now on. @param writeKey the key that those messages carry */
  addSource(source: Source, writeKey: string): void {
    this.#writeKeys.set(source, writeKey);
    if (this.gate.hasEvents(source)) this.problems.note("plan", []);
    this.#appliedVersion = "";
    this.#update();
  }

  /**
   * Whether messages are accepted. While telemetry is off, reads consent again first, at most once a second.
   */
  isOn(): boolean {
    if (this.#session === undefined && this.clock.monotonic() >= this.#updateAgainAtMs) this.#update();
    return this.#session !== undefined;
  }

  /**
   * Applies the plan to a message, and puts it into the outbox or, in `log` mode, prints it. Counts the
   * message if it is dropped.
   * @returns the reason if the message was dropped
   */
  record(source: Source, draft: Draft): DropReason | undefined {
    const reason = this.#take(source, draft);
    if (reason !== undefined) this.counts.drop(reason);
    return reason;
  }

  #take(source: Source, draft: Draft): DropReason | undefined {
    if (!this.isOn()) return "off";
    try {
      return this.#session?.record(source, draft);
    } catch {
      return "unreadable";
    }
  }

  keepAlive(options: KeepAliveOptions): void {
    this.#update();
    this.#keepAlive = options;
    this.#guard(() => this.#session?.keepAlive(options));
  }

  /**
   * Stores answers, and acts on them at once. A notice never replaces a stored Yes or No, unless it was given
   * in the inspector.
   * @returns false if the answers are invalid or cannot be stored; a No that cannot be stored closes
   * telemetry until the process ends
   */
  answer(sources: readonly Source[], answer: Answer, by: Giver): boolean {
    if (!isAnswer(sources, answer)) return false;
    const isStored = this.#store(sources, answer, by);
    if (!isStored && answer === "no") this.close();
    this.#update();
    discardRefused(this.folder, this.gate); // even if telemetry was closed before
    return isStored;
  }

  /**
   * Shows the server's notice if it is due, and stores that it was shown.
   * @returns false if it is not due, or could not be stored
   * @throws whatever `show` throws; the notice is then still due
   */
  noticeOnce(show: (notice: string) => void): boolean {
    this.#update();
    if (!this.gate.isNoticeDue("server")) return false;
    show(writeNotice(this.settings.plan));
    return this.answer(["server"], "notice", "product");
  }

  /**
   * Ends telemetry for good. First writes the messages held in memory, unless consent to them was refused.
   */
  close(): void {
    this.#isClosed = true;
    this.#updateAgainAtMs = Number.POSITIVE_INFINITY;
    this.#session?.flushSync();
    this.#end("closed");
  }

  /** Reads consent, and starts or ends the session accordingly. */
  #update(): void {
    if (this.#isClosed) return;
    this.#guard(() => {
      const version = this.gate.version();
      if (version === this.#appliedVersion) return;
      this.#appliedVersion = version;
      this.#apply();
    });
    this.#updateAgainAtMs = Math.max(this.#updateAgainAtMs, this.clock.monotonic() + UPDATE_AGAIN_MS);
  }

  #apply(): void {
    const { gate } = this;
    const sources = [...this.#writeKeys.keys()];
    const isLog = sources.some((source) => gate.isLogged(source));
    const isOn = isLog || sources.some((source) => gate.allows(source));
    if (!isOn) {
      // Off does not mean refused, so messages that were recorded with consent are kept.
      this.#session?.flushSync();
      const reason = gate.whyOff(sources);
      this.#end(reason);
      const unreadable = UNREADABLE[reason];
      if (unreadable !== undefined) this.#warn(`${unreadable}${explainOwner(this.folder)}`);
      if (reason === "product_undecided") this.#updateLater(ASK_AGAIN_MS);
    }
    discardRefused(this.folder, gate);
    if (!isOn) return;
    if (!isLog) for (const source of sources) this.#storeEnvironmentAnswer(source);
    const session = this.#begin(isLog);
    for (const source of sources) {
      const decisions = isLog ? gate.printedDecisionsOf(source) : gate.decisionsOf(source);
      if (gate.allows(source) || gate.isLogged(source)) session.setDecisions(source, decisions);
      else session.stopSource(source);
    }
  }

  /**
   * Stores an answer given in the environment, together with the plan for which it was given, so that a later
   * plan needs an answer of its own.
   */
  #storeEnvironmentAnswer(source: Source): void {
    const reasons = this.gate.rulesNow(source).map(({ reason }) => reason);
    if (reasons.includes("environment_opt_in")) this.#store([source], "yes", "environment");
    else if (reasons.includes("switch_offered")) this.#store([source], "notice", "environment");
  }

  #begin(isLog: boolean): Session {
    const { clock, random, settings, print } = this.#options;
    if (this.#session?.isPrinting === isLog && this.#session.isInstanceThere()) return this.#session;
    this.#end("closed");
    if (!isLog) {
      makeFolder(this.folder);
      keepPlan(this.folder.plan, settings);
    }
    const session = new Session({
      settings,
      folder: this.folder,
      gate: this.gate,
      instance: isLog
        ? makeEphemeralInstance(clock.now(), settings.instanceKey)
        : openInstance(this.folder.instance, clock.now(), settings.instanceKey),
      clock,
      random,
      counts: this.counts,
      writeKeys: this.#writeKeys,
      print: isLog ? print : undefined,
      update: () => this.#update(),
      onFault: (error) => {
        if (this.#session === session) this.#fail(error);
      },
      onFailed: (failed) => this.#warn(describeFailed(failed), failed.next),
      onRefused: (reason) => this.#warn(describeRefused(reason)),
    });
    this.#session = session;
    if (this.#keepAlive !== undefined) session.keepAlive(this.#keepAlive);
    return session;
  }

  #end(reason: DenyReason | OffReason): void {
    this.#off = reason;
    this.#cancelRetry();
    const session = this.#session;
    this.#session = undefined;
    session?.end();
  }

  #store(sources: readonly Source[], answer: Answer, by: Giver): boolean {
    return this.#guard(() => this.#answers.store(sources, answer, by)) ?? false;
  }

  /** Runs a task that uses the state folder. If it throws, calls `#fail` and returns undefined. */
  #guard<Value>(task: () => Value): Value | undefined {
    try {
      return task();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /**
   * Reads consent again later. While telemetry is off there is no other timer: without this one, a product
   * that only calls `keepAlive` would stay off.
   */
  #updateLater(afterMs: number): void {
    this.#cancelRetry();
    this.#cancelRetry = this.clock.later(afterMs, () => {
      this.#appliedVersion = "";
      this.#update();
    });
  }

  /** Turns telemetry off because the state folder failed, and tries again later. */
  #fail(error: unknown): void {
    this.#end("state_unwritable");
    if (this.#isClosed) return;
    this.#updateLater(TRY_AGAIN_MS);
    this.#warn(
      `The state folder cannot be used (${codeOf(error) ?? "unknown"}); telemetry is off until it can.${explainOwner(this.folder)}`,
    );
  }
}
