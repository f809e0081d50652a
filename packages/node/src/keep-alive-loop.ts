import { randomBytes } from "node:crypto";
import type { Clock } from "./clock.ts";
import { askHealthy, type KeepAliveOptions, keepAliveDelays, toEveryMs, untilDueMs } from "./keep-alive.ts";
import type { KeepAlivePlace } from "./keep-alive-place.ts";

export interface KeepAliveLoopOptions {
  readonly place: KeepAlivePlace;
  readonly clock: Clock;
  readonly random: () => number;
  readonly keepAlive: KeepAliveOptions;
  /** Reads consent anew. */
  readonly mayPing: () => boolean;
  /** Makes the message. @param boot the nonce of the folder's last start */
  readonly ping: (boot: string) => void;
  readonly onFault: (error: unknown) => void;
}

/**
 * Says every few hours that the instance is alive. When the last sign was made is in the state folder, so restarts and
 * replicas do not add any. The first one waits some minutes: a process that ends before was not healthy.
 */
export class KeepAliveLoop {
  readonly #options: KeepAliveLoopOptions;
  readonly #everyMs: number;
  #cancel: (() => void) | undefined;
  #isStopped = false;

  constructor(options: KeepAliveLoopOptions) {
    this.#options = options;
    this.#everyMs = toEveryMs(options.keepAlive.everyHours);
  }

  /** Writes this start's nonce, and plans the first sign. @throws the file system's error */
  start(): void {
    const { place, clock, random } = this.#options;
    const { lastAtMs } = place.read();
    place.write({ lastAtMs, boot: randomBytes(8).toString("hex") });
    const dueMs = untilDueMs(lastAtMs, clock.now(), this.#everyMs);
    this.#plan(Math.max(dueMs, keepAliveDelays.firstMs(random())), lastAtMs);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  /** @param lastAtMs the last sign as it is known now: when it is another one by then, a replica made it */
  #plan(afterMs: number, lastAtMs: number | undefined): void {
    if (this.#isStopped) return;
    this.#cancel = this.#options.clock.later(afterMs, () => void this.#run(lastAtMs));
  }

  async #run(knownAtMs: number | undefined): Promise<void> {
    try {
      const { isMade, lastAtMs } = await this.#makeOne(knownAtMs);
      const { clock, random } = this.#options;
      const isThere = isMade || lastAtMs !== knownAtMs;
      const dueMs = untilDueMs(lastAtMs, clock.now(), this.#everyMs);
      const jitterMs = keepAliveDelays.jitterMs(this.#everyMs, random());
      this.#plan(isThere ? dueMs + jitterMs : keepAliveDelays.againMs, lastAtMs);
    } catch (error) {
      if (!this.#isStopped) this.#options.onFault(error);
    }
  }

  async #makeOne(knownAtMs: number | undefined): Promise<{ isMade: boolean; lastAtMs: number | undefined }> {
    const { place, clock, keepAlive, mayPing, ping } = this.#options;
    const isReady = (await askHealthy(keepAlive.healthy)) && mayPing();
    if (this.#isStopped) return { isMade: false, lastAtMs: knownAtMs };
    if (!isReady || !(await place.take())) {
      return { isMade: false, lastAtMs: place.read().lastAtMs };
    }
    try {
      const { lastAtMs, boot } = place.read();
      if (this.#isStopped || lastAtMs !== knownAtMs) return { isMade: false, lastAtMs };
      const nonce = boot ?? randomBytes(8).toString("hex");
      const madeAtMs = clock.now();
      place.write({ lastAtMs: madeAtMs, boot: nonce });
      ping(nonce);
      return { isMade: true, lastAtMs: madeAtMs };
    } finally {
      place.release();
    }
  }
}
