import type { Clock } from "../clock.ts";
import type { Sender } from "./sender.ts";

export interface SendLoopOptions {
  readonly sender: Sender;
  readonly clock: Clock;
  /** Told when the state folder failed under a run. */
  readonly onFault: (error: unknown) => void;
}

/** Has the sender run when something waits: one run at a time, and none before the collector may be asked again. */
export class SendLoop {
  readonly #options: SendLoopOptions;
  #cancel: (() => void) | undefined;
  #dueAtMs = Number.POSITIVE_INFINITY;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #running: Promise<boolean> | undefined;
  #isStopped = false;

  constructor(options: SendLoopOptions) {
    this.#options = options;
  }

  /** Runs after a while, or earlier when a run is planned already. */
  soon(afterMs: number): void {
    const { clock } = this.#options;
    const dueAtMs = Math.max(clock.monotonic() + afterMs, this.#notBeforeMs);
    if (this.#isStopped || dueAtMs >= this.#dueAtMs) return;
    this.#cancel?.();
    this.#dueAtMs = dueAtMs;
    this.#cancel = clock.later(dueAtMs - clock.monotonic(), () => void this.runNow());
  }

  /** Runs now, whatever was planned, after the run that is under way. True: all that waited was dealt with. Never rejects. */
  async runNow(): Promise<boolean> {
    while (this.#running !== undefined) await this.#running;
    if (this.#isStopped) return false;
    this.#unplan();
    this.#running = this.#run();
    try {
      return await this.#running;
    } finally {
      this.#running = undefined;
    }
  }

  /** Plans no run any more, and has the one under way end. */
  stop(): void {
    this.#isStopped = true;
    this.#unplan();
    this.#options.sender.stop();
  }

  async #run(): Promise<boolean> {
    const { sender, clock, onFault } = this.#options;
    try {
      const end = await sender.run();
      this.#notBeforeMs = Number.NEGATIVE_INFINITY;
      if (end.end !== "later") return end.end === "done";
      this.#notBeforeMs = clock.monotonic() + end.afterMs;
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
