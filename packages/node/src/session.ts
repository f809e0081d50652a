/**
 * Owns everything that runs while telemetry is on: writers, sender, heartbeats, timers and sockets. One abort
 * signal ends them all.
 */
import { setMaxListeners } from "node:events";
import { eventKey, type Trim } from "@candor/plan/runtime";
import type { Clock } from "./clock.ts";
import { type AgreedPlan, compileAgreed, createRedactors } from "./consent/agreed-plan.ts";
import { type ConsentGate, isRefusal, type SourceDecisions } from "./consent/gate.ts";
import type { Counts } from "./counts.ts";
import { createEventRates, type EventRates } from "./event-rates.ts";
import { type Facts, writeHeartbeat } from "./heartbeat.ts";
import { createHttpClient, type HttpClient } from "./http/client.ts";
import { ephemeralPlace, KeepAliveLoop, type KeepAliveOptions, sharedPlace } from "./keep-alive.ts";
import { type Draft, MAX_MESSAGE_BYTES, toChecked, writeLine } from "./message.ts";
import { MessageFacts } from "./message-facts.ts";
import { OutboxWriter } from "./outbox/outbox-writer.ts";
import type { DropReason } from "./reasons.ts";
import type { ConsentScope, Source } from "./scope.ts";
import type { FailedTry } from "./send/retry.ts";
import { SendLoop } from "./send/send-loop.ts";
import { Sender } from "./send/sender.ts";
import type { Settings } from "./settings.ts";
import { type Instance, readInstance } from "./state/instance.ts";
import { Lease } from "./state/lease.ts";
import { readInstallId, removeFile, type StateFolder, signatureOf } from "./state/state-folder.ts";

/** Once this many bytes have been written, they are sent without waiting for the interval. */
const SEND_AT_BYTES = 256 * 1024;
const SEND_SOON_MS = 1000;
/** Messages that an earlier process left are sent soon, because this process may be short-lived. */
const LEFT_OVER_AFTER_MS = 100;
const DAY_MS = 24 * 60 * 60_000;

export interface SessionOptions {
  readonly settings: Settings;
  readonly folder: StateFolder;
  readonly gate: ConsentGate;
  readonly instance: Instance;
  readonly clock: Clock;
  readonly random: () => number;
  readonly counts: Counts;
  /** The sources whose messages are recorded, each with the write key that its messages carry, if any. */
  readonly writeKeys: ReadonlyMap<Source, string | undefined>;
  /** Prints messages, which are then never kept or sent; undefined if messages go to the outbox. */
  readonly print: ((line: string) => void) | undefined;
  /** Reads consent, and ends this session if it is no longer allowed: check `signal` afterwards. */
  readonly update: () => void;
  /** Called when the state folder cannot be used. */
  readonly onFault: (error: unknown) => void;
  /** Called after each failed send. */
  readonly onFailed: (failed: FailedTry) => void;
  /**
   * Called when the collector received messages and did not keep them.
   * @param reason the collector's reason, or `http_400` or `http_413`
   */
  readonly onRefused: (reason: string) => void;
}

export class Session {
  readonly instance: Instance;
  readonly isPrinting: boolean;
  readonly http: HttpClient;
  readonly #options: SessionOptions;
  readonly #ending = new AbortController();
  readonly #plans = new Map<Source, AgreedPlan>();
  /** Writers by source and rule, such as `server-notice`. */
  readonly #writers = new Map<string, OutboxWriter>();
  readonly #facts: MessageFacts;
  readonly #rates: EventRates;
  readonly #loop: SendLoop;
  readonly #sender: Sender;
  #keepAlive: { readonly loop: KeepAliveLoop; readonly abort: AbortController } | undefined;
  #writtenBytes = 0;
  #instanceSignature = "";

  constructor(options: SessionOptions) {
    const { settings, folder, gate, instance, clock, random, print, update, onFault } = options;
    const { signal } = this;
    setMaxListeners(0, signal); // each timer and writer adds a listener
    this.#options = options;
    this.instance = instance;
    this.isPrinting = print !== undefined;
    this.#facts = new MessageFacts(settings);
    this.#rates = createEventRates(settings.plan, clock.monotonic);
    this.http = createHttpClient({ environment: settings.machineEnvironment(), signal });
    this.#sender = new Sender({
      folder,
      http: this.http,
      host: settings.host,
      writeKey: settings.writeKey,
      lease: new Lease({ path: folder.lease, now: clock.now }),
      maxOutboxBytes: settings.maxOutboxBytes,
      gate,
      signal,
      onFailed: options.onFailed,
      onRefused: options.onRefused,
      clock,
      random,
    });
    this.#loop = new SendLoop({ sender: this.#sender, clock, update, signal, onFault });
    if (!this.isPrinting) this.#loop.soon(LEFT_OVER_AFTER_MS);
    signal.addEventListener(
      "abort",
      onProcessExit(() => this.flushSync()),
      { once: true },
    );
  }

  /** Aborted when the session has ended. Messages in memory are then discarded; messages on disk stay. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  end(): void {
    this.#ending.abort();
  }

  /**
   * Stops accepting messages of a source. Messages in memory are written unless consent to them was refused.
   */
  stopSource(source: Source): void {
    this.#plans.delete(source);
    for (const [key, writer] of this.#writers) {
      if (!key.startsWith(`${source}-`)) continue;
      writer.flushSync();
      writer.discard();
      this.#writers.delete(key);
    }
  }

  /** Sets what a source may send from now on. */
  setDecisions(source: Source, decisions: SourceDecisions): void {
    const { plan } = this.#options.settings;
    this.#plans.set(source, compileAgreed(plan, source, decisions, createRedactors(this.instance)));
    if (!this.isPrinting) this.#loop.soon(LEFT_OVER_AFTER_MS); // messages that waited for consent may be sent now
  }

  /**
   * Applies the plan to a message, and puts the result into the outbox or, in `log` mode, prints it.
   * @returns the reason if the message was dropped
   */
  record(source: Source, draft: Draft): DropReason | undefined {
    const { counts, print, settings, writeKeys, clock } = this.#options;
    // The gateway has its own limits for browsers' messages, which come from many people.
    const key = eventKey(draft.type, draft.name);
    const rate = source === "server" ? this.#rates.get(key) : undefined;
    if (rate?.hasRoom() === false) return "too_many";
    this.#facts.addTo(source, draft, key, this.instance.instanceId);
    const message = toChecked(draft);
    const verdict = this.#plans.get(source)?.(message, clock.now());
    if (verdict === undefined) return "off";
    if (!verdict.kept) return verdict.reason;
    if (message.userId === undefined && message.anonymousId === undefined && message.groupId === undefined) {
      return "no_user_anon_id";
    }
    const planVersion = settings.plan.version;
    const about = { writeKey: writeKeys.get(source), planVersion, skipped: rate?.skipped };
    const line = writeLine(message, draft, about);
    if (isTooLarge(line)) return "event_too_large";
    if (print !== undefined) print(line);
    else if (!this.#writerOf({ source, rule: verdict.rule }).append(line)) return "outbox_slow";
    rate?.noteRecorded();
    counts.keep(draft.hasUndeclared === true ? [...verdict.trims, undeclaredOf(draft)] : verdict.trims);
    return undefined;
  }

  /** Sends heartbeats from now on, instead of those of an earlier call. @throws a file system error */
  keepAlive(keepAlive: KeepAliveOptions): void {
    const { folder, clock, random, update, onFault } = this.#options;
    this.#keepAlive?.abort.abort();
    const abort = new AbortController();
    const loop = new KeepAliveLoop({
      place: this.isPrinting ? ephemeralPlace() : sharedPlace(folder, clock.now),
      clock,
      random,
      keepAlive,
      update,
      signal: AbortSignal.any([this.signal, abort.signal]),
      ping: (boot, atMs) => this.#recordHeartbeat(boot, keepAlive.facts, atMs),
      onFault,
    });
    this.#keepAlive = { loop, abort };
    loop.start();
  }

  /**
   * When this process sends its next heartbeat if the product is healthy, epoch milliseconds; undefined
   * without `keepAlive`.
   */
  get heartbeatDueAtMs(): number | undefined {
    return this.#keepAlive?.loop.dueAtMs;
  }

  #recordHeartbeat(boot: string, facts: Facts | undefined, timestampMs: number): void {
    const { folder, counts } = this.#options;
    const installId = this.isPrinting ? undefined : readInstallId(folder.install);
    const reason = this.record("server", writeHeartbeat({ boot, facts, installId, timestampMs }));
    if (reason !== undefined) counts.drop(reason);
    else if (installId !== undefined) removeFile(folder.install);
  }

  /**
   * Writes the messages in memory, then sends the outbox. Resolves to true if every message was dealt with.
   */
  async flush(): Promise<boolean> {
    await Promise.all([...this.#writers.values()].map((writer) => writer.flush()));
    return this.isPrinting || (await this.#loop.runNow());
  }

  /**
   * Writes the messages in memory synchronously, because the process or the session is ending. Never throws.
   */
  flushSync(): void {
    for (const writer of this.#writers.values()) writer.flushSync();
  }

  /**
   * False if the instance was deleted or replaced: the folder was deleted, or another process stored a No,
   * and perhaps a Yes after it.
   */
  isInstanceThere(): boolean {
    if (this.isPrinting) return true;
    const file = this.#options.folder.instance;
    const signature = signatureOf(file);
    if (signature === this.#instanceSignature) return true;
    const isThere = readInstance(file)?.instanceId === this.instance.instanceId;
    if (isThere) this.#instanceSignature = signature;
    return isThere;
  }

  #writerOf(scope: ConsentScope): OutboxWriter {
    const key = `${scope.source}-${scope.rule}`;
    const known = this.#writers.get(key);
    if (known !== undefined) return known;
    const { folder, clock, gate, settings, counts, update, onFault } = this.#options;
    const writer = new OutboxWriter({
      folder,
      scope,
      now: clock.now,
      maxFileBytes: settings.maxOutboxBytes / 10,
      maxFileAgeMs: DAY_MS,
      mayWrite: () => !isRefusal(gate.check(scope)) && this.isInstanceThere(),
      signal: this.signal,
      onGathered: update,
      onWritten: (bytes) => this.#onWritten(bytes),
      onRotated: () => void this.#sender.sweep().catch(onFault),
      onFault: (error, lines) => {
        counts.drop("outbox_unwritable", lines);
        onFault(error);
      },
    });
    this.#writers.set(key, writer);
    return writer;
  }

  #onWritten(bytes: number): void {
    const { sendEveryMs } = this.#options.settings;
    this.#writtenBytes += bytes;
    const isMuch = this.#writtenBytes >= SEND_AT_BYTES;
    if (isMuch) this.#writtenBytes = 0;
    this.#loop.soon(isMuch ? Math.min(SEND_SOON_MS, sendEveryMs) : sendEveryMs);
  }
}

/** UTF-8 needs one to three bytes for a UTF-16 code unit, so most lines need not be measured. */
function isTooLarge(line: string): boolean {
  return line.length * 3 > MAX_MESSAGE_BYTES && Buffer.byteLength(line) > MAX_MESSAGE_BYTES;
}

function undeclaredOf({ type }: Draft): Trim {
  const path = type === "identify" || type === "group" ? "traits.*" : "properties.*";
  return { path, reason: "undeclared" };
}

const closers = new Set<() => void>();
let isListening = false;

/**
 * Registers a function that is called, synchronously, when the process ends. All functions share one
 * listener, so that a product with many telemetry objects gets no warning about a leak.
 * @returns a cancel function
 */
function onProcessExit(close: () => void): () => void {
  if (!isListening) {
    process.on("exit", () => {
      for (const each of closers) each();
    });
    isListening = true;
  }
  closers.add(close);
  return () => closers.delete(close);
}
