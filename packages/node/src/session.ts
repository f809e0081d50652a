import type { Trim } from "@candor/plan/runtime";
import type { Clock } from "./clock.ts";
import type { SourceDecisions } from "./consent/consent-watch.ts";
import { createJudge, type Judge } from "./consent/judge.ts";
import { createReducers } from "./consent/reducers.ts";
import type { Permit } from "./consent/standing.ts";
import type { Counts } from "./counts.ts";
import { writeHeartbeat } from "./heartbeat.ts";
import { createHttpClient, type HttpClient } from "./http/client.ts";
import type { KeepAliveOptions } from "./keep-alive.ts";
import { KeepAliveLoop } from "./keep-alive-loop.ts";
import { passingPlace, sharedPlace } from "./keep-alive-place.ts";
import { type Draft, MAX_MESSAGE_BYTES, toJudged, writeLine } from "./message.ts";
import type { Source } from "./outbox/outbox-name.ts";
import { OutboxWriter } from "./outbox/outbox-writer.ts";
import type { DropReason } from "./reasons.ts";
import type { FailedTry } from "./send/retry.ts";
import { SendLoop } from "./send/send-loop.ts";
import { Sender } from "./send/sender.ts";
import { ServerFacts } from "./server-facts.ts";
import type { Settings } from "./settings.ts";
import type { Instance } from "./state/instance.ts";
import { Lease } from "./state/lease.ts";
import type { StateFolder } from "./state/state-folder.ts";

/** So much waiting is sent sooner: many batches in one go. */
const SEND_AT_BYTES = 256 * 1024;
const SEND_SOON_MS = 1000;
/** What an earlier process left is sent soon: this one may be short. */
const LEFT_OVER_AFTER_MS = 100;
const DAY_MS = 24 * 60 * 60_000;

export interface SessionOptions {
  readonly settings: Settings;
  readonly folder: StateFolder;
  readonly instance: Instance;
  readonly clock: Clock;
  readonly random: () => number;
  readonly counts: Counts;
  /** Reads consent anew: what a source may do at this moment. */
  readonly permitOf: (source: Source) => Permit;
  /** See `createLineFilter`; as of the last reading of consent. */
  readonly filterOf: (source: Source) => ((line: string) => boolean) | undefined;
  /** The write key of a source whose messages carry it. */
  readonly writeKeyOf: (source: Source) => string | undefined;
  /** Undefined: messages go to the outbox. Else they are printed with it, and never kept or sent. */
  readonly print: ((line: string) => void) | undefined;
  /** Told when the state folder cannot be used. */
  readonly onFault: (error: unknown) => void;
  /** Told of each try to send that failed. */
  readonly onFailed: (failed: FailedTry) => void;
}

/** Everything that exists only while telemetry is on: writers, sender, timers, sockets. */
export class Session {
  readonly instance: Instance;
  readonly isPrinting: boolean;
  readonly http: HttpClient;
  readonly #options: SessionOptions;
  readonly #judges = new Map<Source, Judge>();
  readonly #writers = new Map<Source, OutboxWriter>();
  readonly #facts: ServerFacts;
  readonly #loop: SendLoop;
  readonly #sender: Sender;
  #keepAlive: KeepAliveLoop | undefined;
  #writtenBytes = 0;

  constructor(options: SessionOptions) {
    const { settings, folder, instance, clock, random, permitOf, print } = options;
    this.#options = options;
    this.instance = instance;
    this.isPrinting = print !== undefined;
    this.#facts = new ServerFacts(settings.plan);
    this.http = createHttpClient({ environment: settings.machineEnvironment() });
    this.#sender = new Sender({
      folder,
      http: this.http,
      host: settings.host,
      writeKey: settings.writeKey,
      lease: new Lease({ path: folder.lease, now: clock.now }),
      maxOutboxBytes: settings.maxOutboxBytes,
      permitOf,
      filterOf: options.filterOf,
      onFailed: options.onFailed,
      clock,
      random,
    });
    this.#loop = new SendLoop({ sender: this.#sender, clock, onFault: options.onFault });
    if (!this.isPrinting) this.#loop.soon(LEFT_OVER_AFTER_MS);
  }

  /** Takes no more messages of a source. Those in memory are written, unless the source is refused. */
  stopSource(source: Source): void {
    this.#judges.delete(source);
    this.#writers.get(source)?.flushSync();
    this.#writers.get(source)?.discard();
    this.#writers.delete(source);
  }

  /** What a source may send from now on. */
  setDecisions(source: Source, decisions: SourceDecisions): void {
    const { plan } = this.#options.settings;
    this.#judges.set(source, createJudge(plan, source, decisions, createReducers(this.instance)));
    // What waits may not be agreed to any more: the sender discards it.
    if (!this.isPrinting) this.#loop.soon(LEFT_OVER_AFTER_MS);
  }

  /** Judges a message and puts what is left of it into the outbox. @returns why not; undefined when it is there */
  record(source: Source, draft: Draft): DropReason | undefined {
    const { counts, print, settings, writeKeyOf, clock } = this.#options;
    if (source === "server") this.#facts.addTo(draft, this.instance.instanceId);
    const message = toJudged(draft);
    const judged = this.#judges.get(source)?.(message, clock.now());
    if (judged === undefined) return "off";
    if (!judged.kept) return judged.reason;
    if (message.userId === undefined && message.anonymousId === undefined && message.groupId === undefined) {
      return "no_user_anon_id";
    }
    const planVersion = settings.plan.version;
    const line = writeLine(message, draft, { writeKey: writeKeyOf(source), planVersion });
    if (isTooLarge(line)) return "event_too_large";
    if (print !== undefined) print(line);
    else if (!this.#writerOf(source).append(line)) return "outbox_slow";
    counts.keep(draft.hasUndeclared === true ? [...judged.trims, undeclaredOf(draft)] : judged.trims);
    return undefined;
  }

  /** Says regularly that the instance is alive. */
  keepAlive(keepAlive: KeepAliveOptions): void {
    const { folder, clock, random, onFault } = this.#options;
    this.#keepAlive?.stop();
    this.#keepAlive = new KeepAliveLoop({
      place: this.isPrinting ? passingPlace() : sharedPlace(folder, clock.now),
      clock,
      random,
      keepAlive,
      // Asked in any case: it may end this session.
      mayPing: () => this.#options.permitOf("server") === "send" || this.isPrinting,
      ping: (boot) => {
        const reason = this.record("server", writeHeartbeat(boot, keepAlive.facts, clock.now()));
        if (reason !== undefined) this.#options.counts.drop(reason);
      },
      onFault,
    });
    this.#keepAlive.start();
  }

  /** Writes what waits in memory, then sends what lies in the outbox. True: all of it was dealt with. */
  async flush(): Promise<boolean> {
    await Promise.all([...this.#writers.values()].map((writer) => writer.flush()));
    return this.isPrinting || (await this.#loop.runNow());
  }

  /** At the end of the process: what waits in memory is written, synchronously, and nothing more. Never throws. */
  flushSync(): void {
    for (const writer of this.#writers.values()) writer.flushSync();
    this.#loop.stop();
  }

  /** Ends everything at once. What waits in memory is thrown away; what is on disk stays. */
  close(): void {
    this.#keepAlive?.stop();
    this.#loop.stop();
    this.http.close();
    for (const writer of this.#writers.values()) writer.discard();
    this.#writers.clear();
    this.#judges.clear();
  }

  #writerOf(source: Source): OutboxWriter {
    const known = this.#writers.get(source);
    if (known !== undefined) return known;
    const { folder, clock, settings, counts, permitOf, onFault } = this.#options;
    const writer = new OutboxWriter({
      folder,
      source,
      now: clock.now,
      maxFileBytes: settings.maxOutboxBytes / 10,
      maxFileAgeMs: DAY_MS,
      mayWrite: () => permitOf(source) !== "discard",
      onWritten: (bytes) => this.#onWritten(bytes),
      onRotated: () => void this.#sender.sweep().catch(onFault),
      onFault: (error, lines) => {
        counts.drop("outbox_unwritable", lines);
        onFault(error);
      },
    });
    this.#writers.set(source, writer);
    return writer;
  }

  #onWritten(bytes: number): void {
    this.#writtenBytes += bytes;
    const isMuch = this.#writtenBytes >= SEND_AT_BYTES;
    if (isMuch) this.#writtenBytes = 0;
    this.#loop.soon(
      isMuch
        ? Math.min(SEND_SOON_MS, this.#options.settings.sendEveryMs)
        : this.#options.settings.sendEveryMs,
    );
  }
}

/** UTF-8 takes one to three bytes for a UTF-16 code unit: most lines need not be measured. */
function isTooLarge(line: string): boolean {
  return line.length * 3 > MAX_MESSAGE_BYTES && Buffer.byteLength(line) > MAX_MESSAGE_BYTES;
}

function undeclaredOf({ type }: Draft): Trim {
  const path = type === "identify" || type === "group" ? "traits.*" : "properties.*";
  return { path, reason: "undeclared" };
}
