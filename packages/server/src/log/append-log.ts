/** Implements the log with append-only files and group commit. */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { CandorError, toWriteError } from "../errors.ts";
import { disk as realDisk } from "./disk.ts";
import type { Disk, Log, SealedSegment } from "./log.ts";
import { frameRecord } from "./record.ts";
import { listSegments, OpenSegment, recoverSegment } from "./segment.ts";

export interface AppendLogOptions {
  /** Folder of the segment files; must exist. */
  readonly dir: string;
  /** Rows in a full segment file, and therefore in a full block sent to the store. Default 50,000. */
  readonly maxSegmentRows?: number;
  /** Bytes in a full segment file. Default 64 MiB. */
  readonly maxSegmentBytes?: number;
  /** Appended but unflushed bytes above which `append` rejects with `overloaded`. Default 64 MiB. */
  readonly maxQueuedBytes?: number;
  /**
   * Makes the dedupe keys of a segment file durable. The segment file is neither handed out nor removed
   * before this resolves.
   */
  readonly keepKeys: (keys: Uint32Array) => Promise<void>;
  readonly now?: () => number;
  readonly random?: (bytes: number) => Buffer;
  readonly disk?: Disk;
  /** Called with faults that cannot be reported to any request. */
  readonly onFault?: (error: CandorError) => void;
}

const SEAL_RETRY_MS = 1000;
/**
 * A segment file that has this many rows at the end of the linger stays open longer: rows are arriving fast,
 * and larger blocks cost the store less per row.
 */
const FAST_ROWS = 1000;
/** How long such a segment file stays open in total, as a multiple of the linger. */
const FAST_LINGERS = 4;
const LARGE_FRAME_BYTES = 64 * 1024;
const NO_BYTES = Buffer.alloc(0);

interface Entry {
  readonly segment: OpenSegment;
  readonly frame: Buffer;
  readonly keys: Uint32Array;
  readonly settle: (error?: CandorError) => void;
}

/**
 * Opens an append-only log with group commit: all requests that arrive during one fdatasync and go into the
 * same segment file form the next group, which is written with one writev and one fdatasync. Compared with
 * one lmdb environment per segment file, it is as fast for batches and twice as fast for single messages
 * (docs/decisions/0002-append-files.md).
 *
 * After a crash, whole records are kept, because they may have been acknowledged. A torn tail is cut off,
 * because none of it was acknowledged. If a record in the middle is damaged, the records after it remain only
 * in a copy of the file.
 */
export async function openAppendLog(options: AppendLogOptions): Promise<Log> {
  const recovered: SealedSegment[] = [];
  const onDamaged = (file: string): void => options.onFault?.(new CandorError("log_damaged", { file }));
  for (const found of await listSegments(options.dir)) {
    const segment = found.isSealed ? found : await recoverSegment(found, options.keepKeys, onDamaged);
    if (segment !== undefined) recovered.push(segment);
  }
  return new AppendLog(options, recovered);
}

class AppendLog implements Log {
  readonly #options: AppendLogOptions;
  readonly #disk: Disk;
  readonly #maxRows: number;
  readonly #maxBytes: number;
  readonly #maxQueuedBytes: number;
  readonly #sealed: SealedSegment[];
  #active: OpenSegment | undefined;
  #activeSinceMs = 0;
  #queue: Entry[] = [];
  #queuedBytes = 0;
  /** The segment file whose group is being flushed, or will be in this turn of the event loop. */
  #flushing: OpenSegment | undefined;
  #sealing = new Map<OpenSegment, Promise<void>>();
  #lastNameMs = 0;
  #closed = false;
  /** Ends the wait of `#changed`. */
  #wake: () => void = () => {};

  constructor(options: AppendLogOptions, recovered: SealedSegment[]) {
    this.#options = options;
    this.#disk = options.disk ?? realDisk;
    this.#maxRows = options.maxSegmentRows ?? 50_000;
    this.#maxBytes = options.maxSegmentBytes ?? 64 * 1024 * 1024;
    this.#maxQueuedBytes = options.maxQueuedBytes ?? 64 * 1024 * 1024;
    this.#sealed = recovered;
  }

  append(keys: Uint32Array, lines: string, contactLines = ""): Promise<void> {
    if (this.#closed) return Promise.reject(new CandorError("stopping"));
    if (this.#queuedBytes > this.#maxQueuedBytes) return Promise.reject(new CandorError("overloaded"));
    const frame = frameRecord(keys, lines, contactLines);
    try {
      return this.#enqueue(this.#segmentFor(keys.length / 2, frame.length), keys, frame);
    } catch (error) {
      return Promise.reject(toWriteError(error)); // a new segment file could not be created
    }
  }

  flushed(): Promise<void> {
    const segment = this.#queue.at(-1)?.segment ?? this.#flushing;
    return segment === undefined ? Promise.resolve() : this.#enqueue(segment, new Uint32Array(0), NO_BYTES);
  }

  async nextSealed(lingerMs: number): Promise<SealedSegment | undefined> {
    for (;;) {
      const oldest = this.#sealed[0];
      if (oldest !== undefined) return oldest;
      if (this.#closed) {
        await Promise.all(this.#sealing.values());
        return this.#sealed[0];
      }
      // Uses the monotonic clock: if the wall clock is set back, rows must not wait longer.
      const waitMs = this.#active?.rows ? this.#lingerLeftMs(this.#active.rows, lingerMs) : undefined;
      if (waitMs !== undefined && waitMs <= 0) await this.#seal();
      else await this.#changed(waitMs);
    }
  }

  async remove(segment: SealedSegment): Promise<void> {
    const at = this.#sealed.findIndex((candidate) => candidate.name === segment.name);
    if (at < 0) return;
    await rm(segment.path, { force: true }); // the file is already gone if it was quarantined
    this.#sealed.splice(at, 1);
  }

  pending(): { rows: number; bytes: number; oldestMs: number | undefined } {
    const segments = [...this.#sealed, ...this.#sealing.keys(), ...(this.#active ? [this.#active] : [])];
    const rows = segments.reduce((sum, segment) => sum + segment.rows, 0);
    const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    // Segment files whose sealing failed are sealed later than newer ones, so the order says nothing about age.
    const times = segments.filter((segment) => segment.rows > 0).map(({ openedAtMs }) => openedAtMs);
    return { rows, bytes, oldestMs: times.length === 0 ? undefined : Math.min(...times) };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#seal();
    this.#wake();
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  /** Resolves after the next flush, when a segment file is sealed, on `close`, or after `waitMs`. */
  #changed(waitMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = waitMs === undefined ? undefined : setTimeout(resolve, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #lingerLeftMs(rows: number, lingerMs: number): number {
    const waitedMs = performance.now() - this.#activeSinceMs;
    const isFast = waitedMs >= lingerMs && rows >= FAST_ROWS;
    return (isFast ? lingerMs * FAST_LINGERS : lingerMs) - waitedMs;
  }

  /**
   * Returns the active segment file if it has room, else a new one. A full segment file is sealed once its
   * last group has been flushed.
   */
  #segmentFor(rows: number, bytes: number): OpenSegment {
    const active = this.#active;
    if (active?.hasRoom(rows, bytes, this.#maxRows, this.#maxBytes)) return active;
    if (active !== undefined) this.#sealLater(active);
    // The time is first, so that names sort by age. A name is never used twice, even if the clock is set back
    // or the folder is new.
    this.#lastNameMs = Math.max(this.#now(), this.#lastNameMs + 1);
    const random = (this.#options.random ?? randomBytes)(8).toString("hex");
    const name = `${String(this.#lastNameMs).padStart(15, "0")}-${random}`;
    this.#activeSinceMs = performance.now();
    this.#active = new OpenSegment(this.#options.dir, name, this.#now());
    return this.#active;
  }

  #enqueue(segment: OpenSegment, keys: Uint32Array, frame: Buffer): Promise<void> {
    segment.reserve(keys.length / 2, frame.length);
    this.#queuedBytes += frame.length;
    const written = new Promise<void>((resolve, reject) => {
      const settle = (error?: CandorError): void => (error === undefined ? resolve() : reject(error));
      this.#queue.push({ segment, frame, keys, settle });
    });
    // If nothing is being flushed, a large request is flushed at once, alone. A smaller one waits for the
    // other requests that are read in the same turn of the event loop.
    if (this.#flushing === undefined) {
      this.#flushing = segment;
      if (frame.length >= LARGE_FRAME_BYTES) void this.#flushQueue();
      else setImmediate(() => void this.#flushQueue());
    }
    return written;
  }

  /**
   * Flushes one group after another until the queue is empty. Never rejects: each entry is settled with its
   * outcome.
   */
  async #flushQueue(): Promise<void> {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const { segment } = next;
      this.#flushing = segment;
      const end = this.#queue.findIndex((entry) => entry.segment !== segment);
      const group = this.#queue.splice(0, end < 0 ? this.#queue.length : end);
      const error = await this.#flushGroup(segment, group);
      // Everything queued behind a failed group must fail too, because it may include the wait of a duplicate
      // for its original in that group.
      if (error !== undefined) group.push(...this.#queue.splice(0));
      for (const entry of group) this.#settle(entry, error);
      this.#wake();
    }
    this.#flushing = undefined;
  }

  async #flushGroup(segment: OpenSegment, group: readonly Entry[]): Promise<CandorError | undefined> {
    try {
      await segment.write(
        group.map((entry) => entry.frame),
        group.map((entry) => entry.keys),
        this.#disk,
      );
      return undefined;
    } catch (error) {
      return toWriteError(error);
    }
  }

  #settle(entry: Entry, error: CandorError | undefined): void {
    this.#queuedBytes -= entry.frame.length;
    if (error !== undefined) entry.segment.release(entry.keys.length / 2, entry.frame.length);
    entry.settle(error);
  }

  async #seal(): Promise<void> {
    const active = this.#active;
    if (active !== undefined) this.#sealLater(active);
    await Promise.all(this.#sealing.values());
  }

  #sealLater(segment: OpenSegment): void {
    this.#active = undefined;
    this.#sealing.set(
      segment,
      this.#sealNow(segment).finally(() => this.#sealing.delete(segment)),
    );
  }

  async #sealNow(segment: OpenSegment): Promise<void> {
    await this.flushed().catch(() => {}); // the appends that failed have already been rejected with this error
    // If the disk is full, the keys cannot be stored now. The rows are safe in the open segment file, so
    // sealing is retried here, and if necessary at the next start.
    for (let tries = 0; tries === 0 || !this.#closed; tries++) {
      if (tries > 0) await sleep(SEAL_RETRY_MS, undefined, { ref: false });
      try {
        const sealed = await segment.seal(this.#options.keepKeys, this.#disk);
        if (sealed !== undefined) this.#sealed.push(sealed);
        return this.#wake();
      } catch (error) {
        this.#options.onFault?.(toWriteError(error));
      }
    }
  }
}
