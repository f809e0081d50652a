/** Delivers the messages of an outbox to the collector. */
import type { ConsentGate } from "../consent/gate.ts";
import type { HttpClient, HttpOutcome } from "../http/client.ts";
import {
  type Lines,
  listOutboxFiles,
  type OutboxFile,
  readLines,
  writeCursor,
} from "../outbox/outbox-file.ts";
import type { ConsentScope } from "../scope.ts";
import type { Lease } from "../state/lease.ts";
import type { StateFolder } from "../state/state-folder.ts";
import { toUrl } from "./ask-collector.ts";
import { BatchPacker, halve } from "./batch.ts";
import { type Delivery, readDelivery, writeDelivery } from "./delivery.ts";
import { type FailedTry, type NextStep, nextStepAfter, toDelayMs, untilAllowedMs } from "./retry.ts";
import { ClockSteps, correctTimes, isDelivered, type SweepClock, sweepOutbox } from "./sweep.ts";

/** The limits of one batch. The collector accepts larger ones, but they would block the event loop longer. */
const BATCH = { maxBytes: 256 * 1024, maxLines: 1000 };
/** How long to wait if another process is sending. */
const LEASE_TAKEN_MS = 5000;
const POST_TIMEOUT_MS = 15_000;

export interface SenderOptions {
  readonly folder: StateFolder;
  readonly http: HttpClient;
  /** The collector's URL. */
  readonly host: URL;
  /** The server's write key. Messages of other sources contain their own write key. */
  readonly writeKey: string;
  readonly lease: Lease;
  readonly maxOutboxBytes: number;
  /** Called before each request. Messages that may not be sent stay in the outbox. */
  readonly gate: Pick<ConsentGate, "check">;
  /** Once aborted, nothing more is sent or written, whatever is in progress. */
  readonly signal: AbortSignal;
  /** Called after each failed attempt. */
  readonly onFailed: (failed: FailedTry) => void;
  /**
   * Called when the collector received messages and did not keep them.
   * @param reason the collector's reason, or `http_400` or `http_413`
   */
  readonly onRefused: (reason: string) => void;
  readonly clock: SweepClock;
  readonly random: () => number;
}

/** How a run ended. */
export type RunEnd =
  | { readonly end: "done" }
  /** Nothing may be sent any more. */
  | { readonly end: "stopped" }
  /** `isAsked`: the collector asked for this delay. */
  | { readonly end: "later"; readonly afterMs: number; readonly isAsked: boolean };

/** How the delivery of a file, or of some of its lines, ended. */
type Progress =
  | { readonly go: "on" | "stop" | "not_now" | "lease_lost" }
  | { readonly go: "later"; readonly step: NextStep };

const ON: Progress = { go: "on" };
const STOP: Progress = { go: "stop" };
const NOT_NOW: Progress = { go: "not_now" };

/**
 * Delivers an outbox, oldest file first, each file in order. A file's cursor advances after the collector's
 * answer. Messages that were being sent when the process was killed are therefore sent again, and the
 * collector recognises them by their messageIds.
 */
export class Sender {
  readonly #options: SenderOptions;
  readonly #packer = new BatchPacker();
  readonly #batchUrl: URL;
  readonly #authorization: string;
  readonly #steps: ClockSteps;
  #attempts = 0;
  #lost = { expired: 0, overflowed: 0 };

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#steps = new ClockSteps(options.clock);
    options.signal.addEventListener("abort", () => options.lease.release(), { once: true });
    this.#batchUrl = toUrl(options.host, "v1/batch");
    this.#authorization = `Basic ${Buffer.from(`${options.writeKey}:`).toString("base64")}`;
  }

  /**
   * Sends the waiting messages, as far as possible. Never rejects because of the network or the collector.
   * @throws a file system error
   */
  async run(): Promise<RunEnd> {
    const { lease, folder } = this.#options;
    // The sweep comes first, because the collector would not recognise duplicates of messages that are too
    // old.
    const files = await this.sweep();
    if (this.#isStopped) return { end: "stopped" };
    if (this.#toBeSent(files).length === 0) {
      const isUnnoted = !this.#steps.isNoted && files.some((file) => !isDelivered(file));
      if (isUnnoted || this.#lost.expired + this.#lost.overflowed > 0)
        await this.#keep(readDelivery(folder.delivery));
      return { end: "done" };
    }
    if (!(await lease.take())) return { end: "later", afterMs: LEASE_TAKEN_MS, isAsked: false };
    try {
      return await this.#sendWaiting(readDelivery(folder.delivery));
    } finally {
      lease.release();
    }
  }

  get #isStopped(): boolean {
    return this.#options.signal.aborted;
  }

  /** The files that contain waiting messages and may be sent. */
  #toBeSent(files: readonly OutboxFile[]): readonly OutboxFile[] {
    return files.filter((file) => !isDelivered(file) && this.#options.gate.check(file).allow);
  }

  async #sendWaiting(delivery: Delivery): Promise<RunEnd> {
    const { clock, host } = this.#options;
    this.#turnTo(`${host.origin}${host.pathname}`, delivery);
    // The clock's reading is stored before sending, because this process may be killed before the collector
    // answers.
    if (!this.#steps.isNoted) await this.#keep(delivery);
    const askedMs = untilAllowedMs(delivery.notBefore, clock.now());
    if (askedMs > 0) return { end: "later", afterMs: askedMs, isAsked: true };
    const progress = await this.#sendAll(delivery);
    if (this.#isStopped) return { end: "stopped" };
    const end = this.#toEnd(progress);
    const isAsked = end.end === "later" && end.isAsked;
    delivery.notBefore = isAsked ? new Date(clock.now() + end.afterMs).toISOString() : undefined;
    await this.#keep(delivery);
    return end;
  }

  /**
   * Notes which collector is sent to. If it has changed, clears the delay, because only the previous
   * collector asked for it.
   */
  #turnTo(collector: string, delivery: Delivery): void {
    if (delivery.collector === collector) return;
    delivery.collector = collector;
    delivery.notBefore = undefined;
  }

  /**
   * Keeps the outbox within its limits; first corrects the ages of its files if the clock was set.
   * @returns the remaining files
   */
  async sweep(): Promise<readonly OutboxFile[]> {
    const { folder, maxOutboxBytes, clock } = this.#options;
    const step = this.#steps.take(() => readDelivery(folder.delivery).clock);
    if (step !== undefined) await correctTimes(await listOutboxFiles(folder.outbox), step);
    const { files, expired, overflowed } = await sweepOutbox(folder, maxOutboxBytes, clock.now());
    this.#lost = { expired: this.#lost.expired + expired, overflowed: this.#lost.overflowed + overflowed };
    return files;
  }

  async #keep(delivery: Delivery): Promise<void> {
    delivery.expired += this.#lost.expired;
    delivery.overflowed += this.#lost.overflowed;
    this.#lost = { expired: 0, overflowed: 0 };
    delivery.clock = this.#steps.note();
    await writeDelivery(this.#options.folder.delivery, delivery, () => !this.#isStopped);
  }

  #toEnd(progress: Progress): RunEnd {
    if (progress.go === "lease_lost") return { end: "later", afterMs: LEASE_TAKEN_MS, isAsked: false };
    if (progress.go !== "later") {
      this.#attempts = 0;
      return { end: "done" };
    }
    const { step } = progress;
    this.#attempts += 1;
    const afterMs = toDelayMs(step, this.#attempts, this.#options.random());
    return { end: "later", afterMs, isAsked: step.next === "retry" && step.afterMs !== undefined };
  }

  async #sendAll(delivery: Delivery): Promise<Progress> {
    // Listed while holding the lease, because another replica may have sent some of the files in the
    // meantime.
    const files = await listOutboxFiles(this.#options.folder.outbox);
    let ended = ON;
    for (const file of this.#toBeSent(files)) {
      const progress = await this.#sendFile(file, delivery);
      if (progress.go === "stop" || progress.go === "lease_lost") return progress;
      // A refused key may concern only one source. Any other fault concerns the collector or the network.
      if (progress.go === "later" && progress.step.next !== "blocked") return progress;
      if (progress.go === "later") ended = progress;
    }
    return ended;
  }

  async #sendFile(file: OutboxFile, delivery: Delivery): Promise<Progress> {
    const { path } = file;
    for (let sent = file.sentBytes; ; ) {
      if (this.#isStopped) return STOP;
      if (!this.#options.lease.renew()) return { go: "lease_lost" };
      // If the file was swept in the meantime or belongs to another user, the other files are still sent.
      const lines = await readLines(path, sent, BATCH).catch(() => undefined);
      if (lines === undefined || lines.count === 0) return ON;
      const progress = await this.#deliver(lines, file, delivery);
      if (progress.go === "not_now") return ON;
      if (progress.go !== "on") return progress;
      sent += lines.bytes.length;
      await writeCursor(path, sent, () => !this.#isStopped);
    }
  }

  /** Delivers lines. Lines that the collector rejects are found by halving, and are given up. */
  async #deliver(lines: Lines, scope: ConsentScope, delivery: Delivery): Promise<Progress> {
    if (this.#isStopped) return STOP;
    if (!this.#options.gate.check(scope).allow) return NOT_NOW;
    const step = nextStepAfter(await this.#post(lines));
    if (this.#isStopped) return STOP;
    delivery.lastFault = "fault" in step ? step.fault : undefined;
    if (step.next === "retry" || step.next === "blocked") {
      this.#options.onFailed(step);
      return { go: "later", step };
    }
    if (step.next === "delivered") {
      delivery.lastSentAt = new Date(this.#options.clock.now()).toISOString();
      delivery.accepted += lines.count - step.dropped.length;
      for (const reason of step.dropped) this.#countRefused(delivery, reason);
      return ON;
    }
    if (lines.count === 1) {
      this.#countRefused(delivery, step.fault);
      return ON;
    }
    for (const half of halve(lines)) {
      const progress = await this.#deliver(half, scope, delivery);
      if (progress.go !== "on") return progress;
    }
    return ON;
  }

  #countRefused(delivery: Delivery, reason: string): void {
    delivery.refused[reason] = (delivery.refused[reason] ?? 0) + 1;
    this.#options.onRefused(reason);
  }

  async #post(lines: Lines): Promise<HttpOutcome> {
    const { http, clock } = this.#options;
    return http.post({
      url: this.#batchUrl,
      headers: {
        "content-type": "application/json",
        "content-encoding": "gzip",
        authorization: this.#authorization,
        ...(this.#attempts === 0 ? {} : { "x-retry-count": String(this.#attempts) }),
      },
      body: await this.#packer.pack(lines, clock.now()),
      timeoutMs: POST_TIMEOUT_MS,
    });
  }
}
