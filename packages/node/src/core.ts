import type { Answer, DenyReason, Giver, Signals } from "@candor/consent";
import type { Clock } from "./clock.ts";
import { Answers, isAnswer } from "./consent/answers.ts";
import type { SourceDecisions } from "./consent/consent-watch.ts";
import { createLineFilter } from "./consent/judge.ts";
import { Standing } from "./consent/standing.ts";
import { Counts } from "./counts.ts";
import { codeOf } from "./error-code.ts";
import { onProcessExit } from "./exit-hook.ts";
import { createFaultTeller, type FaultTeller } from "./fault-teller.ts";
import type { KeepAliveOptions } from "./keep-alive.ts";
import type { Draft } from "./message.ts";
import { writeNotice } from "./notice.ts";
import type { Source } from "./outbox/outbox-name.ts";
import { NO_EVENTS, Problems } from "./problems.ts";
import { type DropReason, type OffReason, UNREADABLE_FILES } from "./reasons.ts";
import { watchLastFault } from "./send/last-fault.ts";
import { describeFailed } from "./send/retry.ts";
import { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
import { discardRefused } from "./state/erase.ts";
import { makePassingInstance, openInstance, readInstance } from "./state/instance.ts";
import { keepPlan } from "./state/plan-file.ts";
import { makeFolder, openStateFolder, type StateFolder } from "./state/state-folder.ts";

/** While off, whether that changed is looked at when the product tracks, at most this often: there is no timer. */
const LOOK_AGAIN_MS = 1000;
/** A disk that was full may not be by now. */
const TRY_AGAIN_MS = 60_000;

export interface CoreOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: () => number;
  /** One line of `log` mode. */
  readonly print: (line: string) => void;
}

/** Whether anything is sent, and why. */
export type CoreState =
  | { readonly state: "on" | "log" }
  | { readonly state: "off"; readonly reason: DenyReason | OffReason };

/**
 * Holds the one decision that all hangs on: while it allows, there is a session; when it does not, there is nothing: no
 * timer, no socket, no file but the answers. Consent is read anew before each write and each post. Nothing here throws.
 */
export class Core {
  readonly settings: Settings;
  readonly folder: StateFolder;
  readonly standing: Standing;
  readonly problems: Problems;
  readonly counts = new Counts();
  readonly #options: CoreOptions;
  readonly #answers: Answers;
  readonly #tell: FaultTeller;
  readonly #readLastFault: () => string | undefined;
  /** Sources that this process makes messages of; the client's only once there is a gateway. */
  readonly #writeKeys = new Map<Source, string | undefined>([["server", undefined]]);
  #signature = "";
  #session: Session | undefined;
  #off: DenyReason | OffReason = "notice_missing";
  #lookAgainAtMs = 0;
  #keepAlive: KeepAliveOptions | undefined;
  #stopListening = (): void => {};
  #cancelRetry = (): void => {};

  constructor(options: CoreOptions) {
    const { settings, clock } = options;
    this.#options = options;
    this.settings = settings;
    this.folder = openStateFolder(settings.stateDir);
    this.standing = new Standing(settings, this.folder);
    this.#answers = new Answers({ folder: this.folder, settings, now: clock.now });
    this.#tell = createFaultTeller(settings.debug, clock.monotonic);
    this.#readLastFault = watchLastFault(this.folder.delivery);
    this.problems = new Problems(this.#tell);
    this.problems.note("createTelemetry", settings.problems);
    if (!this.standing.hasEvents("server")) this.problems.note("plan", [NO_EVENTS]);
    this.#look();
  }

  get state(): CoreState {
    this.#look();
    if (this.#session === undefined) return { state: "off", reason: this.#off };
    return { state: this.#session.isPrinting ? "log" : "on" };
  }

  get session(): Session | undefined {
    return this.#session;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /** Why the last try to send failed; undefined when it did not, and while nothing is sent. */
  get lastFault(): string | undefined {
    return this.#session?.isPrinting === false ? this.#readLastFault() : undefined;
  }

  /** The decisions about a source as they are now. */
  decisionsOf(source: Source, signals?: Signals): SourceDecisions {
    this.standing.look();
    return this.standing.decisionsOf(source, signals);
  }

  /** Takes messages of another source from now on. @param writeKey what they carry */
  addSource(source: Source, writeKey: string): void {
    this.#writeKeys.set(source, writeKey);
    if (this.standing.hasEvents(source)) this.problems.note("plan", []);
    this.#signature = "";
    this.#look();
  }

  /**
   * Judges a message and puts it into the outbox.
   * @param draft made only while on
   * @returns why not, counted; undefined when it is there
   */
  record(source: Source, draft: () => Draft): DropReason | undefined {
    const reason = this.#take(source, draft);
    if (reason !== undefined) this.counts.drop(reason);
    return reason;
  }

  #take(source: Source, draft: () => Draft): DropReason | undefined {
    try {
      if (this.#session === undefined && this.#options.clock.monotonic() >= this.#lookAgainAtMs) this.#look();
      return this.#session === undefined ? "off" : this.#session.record(source, draft());
    } catch {
      return "unreadable";
    }
  }

  keepAlive(options: KeepAliveOptions): void {
    this.#look();
    this.#keepAlive = options;
    this.#guard(() => this.#session?.keepAlive(options));
  }

  /**
   * Stores answers, and acts on them at once. A notice that no person gave changes nothing where an answer is stored.
   * @returns false when they are none, or cannot be stored; a No holds all the same until the end
   */
  answer(sources: readonly Source[], answer: Answer, by: Giver): boolean {
    if (!isAnswer(sources, answer)) return false;
    const isStored = this.#store(sources, answer, by);
    if (!isStored && answer === "no") this.close();
    this.#look();
    // Also when this telemetry was closed before.
    this.standing.look();
    discardRefused(this.folder, this.standing);
    return isStored;
  }

  /**
   * Shows the server's notice where it is due, and stores that.
   * @returns false when it is not due, or could not be shown or stored
   */
  noticeOnce(show: (notice: string) => void): boolean {
    this.#look();
    if (!this.standing.isNoticeDue("server")) return false;
    show(writeNotice(this.settings.plan));
    return this.answer(["server"], "notice", "product");
  }

  /** Ends for good. What is in memory is written first, when that is allowed. */
  close(): void {
    this.#lookAgainAtMs = Number.POSITIVE_INFINITY;
    this.#session?.flushSync();
    this.#shut("closed");
  }

  /** Reads consent, and opens or shuts what hangs on it. */
  #look(): void {
    if (this.#isClosed) return;
    this.#guard(() => {
      const signature = this.standing.look();
      if (signature === this.#signature) return;
      this.#signature = signature;
      this.#decide();
    });
    this.#lookAgainAtMs = Math.max(this.#lookAgainAtMs, this.#options.clock.monotonic() + LOOK_AGAIN_MS);
  }

  #decide(): void {
    const { standing } = this;
    const sources = [...this.#writeKeys.keys()];
    const isLog = sources.some((source) => standing.isLogged(source));
    const isOn = isLog || sources.some((source) => standing.maySend(source));
    if (!isOn) {
      // Off is not a refusal: what was recorded under a consent is kept.
      this.#session?.flushSync();
      const reason = standing.whyOff(sources);
      this.#shut(reason);
      if (UNREADABLE_FILES[reason] !== undefined) this.#tell(UNREADABLE_FILES[reason]);
    }
    discardRefused(this.folder, standing);
    if (!isOn) return;
    if (!isLog) for (const source of sources) this.#recordGivenByEnvironment(source);
    const session = this.#open(isLog);
    for (const source of sources) {
      const isOpen = standing.maySend(source) || standing.isLogged(source);
      const decisions = isLog ? standing.printedDecisionsOf(source) : standing.decisionsOf(source);
      if (isOpen) session.setDecisions(source, decisions);
      else session.stopSource(source);
    }
  }

  /** An answer that stands in the environment is noted with the plan that it was given for: a later plan is asked for. */
  #recordGivenByEnvironment(source: Source): void {
    const reasons = this.standing.rulesNow(source).map(({ reason }) => reason);
    if (reasons.includes("environment_opt_in")) this.#store([source], "yes", "environment");
    else if (reasons.includes("switch_offered")) this.#store([source], "notice", "environment");
  }

  #open(isLog: boolean): Session {
    const { clock, random, settings, print } = this.#options;
    if (this.#session?.isPrinting === isLog && this.#isInstanceThere(this.#session)) return this.#session;
    this.#shut("closed");
    if (!isLog) {
      makeFolder(this.folder);
      keepPlan(this.folder.plan, settings);
    }
    const session = new Session({
      settings,
      folder: this.folder,
      instance: isLog ? makePassingInstance(clock.now()) : openInstance(this.folder.instance, clock.now()),
      clock,
      random,
      counts: this.counts,
      // Looking may end this session, and open another with other ids.
      permitOf: (source) => {
        this.#look();
        return this.#session === session ? this.standing.permitOf(source) : "discard";
      },
      filterOf: (source) => this.#filterOf(source),
      writeKeyOf: (source) => this.#writeKeys.get(source),
      print: isLog ? print : undefined,
      onFault: (error) => {
        if (this.#session === session) this.#fail(error);
      },
      onFailed: (failed) => this.#tell(describeFailed(failed), failed.next),
    });
    this.#session = session;
    this.#stopListening = onProcessExit(() => session.flushSync());
    if (this.#keepAlive !== undefined) session.keepAlive(this.#keepAlive);
    return session;
  }

  #filterOf(source: Source): ((line: string) => boolean) | undefined {
    if (!this.standing.maySend(source)) return undefined;
    return createLineFilter(this.settings.plan, source, this.standing.decisionsOf(source));
  }

  /** Somebody may have deleted the folder, or another process may have been told No and Yes: ids are new then. */
  #isInstanceThere({ isPrinting, instance }: Session): boolean {
    return isPrinting || readInstance(this.folder.instance)?.instanceId === instance.instanceId;
  }

  #shut(reason: DenyReason | OffReason): void {
    this.#off = reason;
    this.#cancelRetry();
    this.#stopListening();
    this.#session?.close();
    this.#session = undefined;
  }

  #store(sources: readonly Source[], answer: Answer, by: Giver): boolean {
    return this.#guard(() => this.#answers.store(sources, answer, by)) ?? false;
  }

  /** Undefined: the state folder failed. */
  #guard<Value>(task: () => Value): Value | undefined {
    try {
      return task();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  get #isClosed(): boolean {
    return this.#lookAgainAtMs === Number.POSITIVE_INFINITY;
  }

  /** The state folder failed: off, silently. Tried again after a minute, also in a product that calls nothing more. */
  #fail(error: unknown): void {
    this.#shut("state_unwritable");
    if (this.#isClosed) return;
    this.#cancelRetry = this.#options.clock.later(TRY_AGAIN_MS, () => {
      this.#signature = "";
      this.#look();
    });
    this.#tell(
      `The state folder cannot be used (${codeOf(error) ?? "unknown"}); telemetry is off until it can.`,
    );
  }
}
