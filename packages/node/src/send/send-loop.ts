/** Schedules the sender's runs, one at a time. */
import type { Clock } from "../clock.ts";
import type { Sender } from "./sender.ts";

export interface SendLoopOptions {
  readonly sender: Pick<Sender, "run">;
  readonly clock: Clock;
  /**
   * Reads consent, and aborts the signal if nothing may be sent any more. Called before and after each run.
   */
  readonly update: () => void;
  /** Once aborted, no further run is scheduled, and the current one ends. */
  readonly signal: AbortSignal;
  /** Called if the state folder failed during a run. */
  readonly onFault: (error: unknown) => void;
}

const NEVER_MS = Number.NEGATIVE_INFINITY;

/** Runs the sender, one run at a time, and never during a delay that the collector asked for. */
export class SendLoop {
  readonly #options: SendLoopOptions;
  #cancel: (() => void) | undefined;
  #dueAtMs = Number.POSITIVE_INFINITY;
  #notBeforeMs = NEVER_MS;
  /** The end of a delay that the collector asked for. An explicit flush ignores other delays. */
  #askedNotBeforeMs = NEVER_MS;
  #running: Promise<boolean> | undefined;
  #next: Promise<boolean> | undefined;

  constructor(options: SendLoopOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => this.#unplan(), { once: true });
  }

  get #isStopped(): boolean {
    return this.#options.signal.aborted;
  }

  /**
   * Schedules a run after a delay, unless an earlier one is scheduled already. Waits longer if the last run
   * failed and its delay is not over.
   */
  soon(afterMs: number): void {
    const { clock } = this.#options;
    const dueAtMs = Math.max(clock.monotonic() + afterMs, this.#notBeforeMs);
    if (this.#isStopped || dueAtMs >= this.#dueAtMs) return;
    this.#cancel?.();
    this.#dueAtMs = dueAtMs;
    this.#cancel = clock.later(dueAtMs - clock.monotonic(), () => void this.#runPlanned());
  }

  /**
   * Runs now instead of at the scheduled time. Callers during a run share the next run. Resolves to true if
   * all waiting messages were dealt with; at once to false while the collector has asked for a delay. Never
   * rejects.
   */
  runNow(): Promise<boolean> {
    if (this.#options.clock.monotonic() < this.#askedNotBeforeMs) return Promise.resolve(false);
    return this.#runAfterOther();
  }

  /**
   * Starts a scheduled run. Unlike a requested run, it also waits for the delay after a run that has failed
   * in the meantime.
   */
  async #runPlanned(): Promise<void> {
    this.#unplan();
    await this.#running;
    if (this.#options.clock.monotonic() < this.#notBeforeMs) this.soon(0);
    else await this.#runAfterOther();
  }

  #runAfterOther(): Promise<boolean> {
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.#start();
    });
    return this.#next;
  }

  #start(): Promise<boolean> {
    this.#unplan();
    if (!this.#isStopped && this.#options.clock.monotonic() < this.#askedNotBeforeMs) {
      this.soon(0); // the run before asked for a delay, or the timer fired slightly early
      return Promise.resolve(false);
    }
    if (this.#isStopped) return Promise.resolve(false);
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<boolean> {
    const { sender, clock, update, onFault } = this.#options;
    try {
      update();
      if (this.#isStopped) return false;
      const end = await sender.run();
      update();
      this.#notBeforeMs = NEVER_MS;
      this.#askedNotBeforeMs = NEVER_MS;
      if (end.end !== "later") return end.end === "done";
      this.#notBeforeMs = clock.monotonic() + end.afterMs;
      if (end.isAsked) this.#askedNotBeforeMs = this.#notBeforeMs;
      this.#unplan(); // a run scheduled during this one would start too early
      this.soon(end.afterMs);
    } catch (error) {
      if (!this.#isStopped) onFault(error);
    }
    return false;
  }

  #unplan(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#dueAtMs = Number.POSITIVE_INFINITY;
  }
}
