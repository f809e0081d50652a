/** Writes the outbox files of one scope, to which only this process appends. */
import { closeSync, fstatSync, openSync, write, writeSync } from "node:fs";
import { join } from "node:path";
import { clearTimeout, setTimeout } from "node:timers";
import { type ConsentScope, nameOutboxFile } from "../scope.ts";
import { makeFolder, type StateFolder } from "../state/state-folder.ts";
import { LineBuffer, type TakenLines } from "./line-buffer.ts";

/** How long lines wait to be written together with others. */
const GATHER_MS = 20;
/** If more than this is waiting for a slow disk, further lines are rejected. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

export interface OutboxWriterOptions {
  readonly folder: StateFolder;
  readonly scope: ConsentScope;
  readonly now: () => number;
  /** The file is closed at this size, and a new one is created. */
  readonly maxFileBytes: number;
  /** The file is also closed at this age, counted from its first line. */
  readonly maxFileAgeMs: number;
  /** Called before lines are written. If it returns false, the lines are discarded. */
  readonly mayWrite: () => boolean;
  /** Once aborted, the writer discards the lines that are waiting. */
  readonly signal: AbortSignal;
  /**
   * Called when lines have been gathered, before they are written; not for a flush. It may abort the signal.
   */
  readonly onGathered: () => void;
  /** Called after lines were written, except by `flushSync`. */
  readonly onWritten: (bytes: number) => void;
  /** Called when a file was closed because it was full or old. */
  readonly onRotated: () => void;
  /**
   * Called if lines cannot be written, for example because the disk is full or the folder belongs to another
   * user. The lines are lost.
   */
  readonly onFault: (error: unknown, lines: number) => void;
}

interface OpenFile {
  readonly fd: number;
  readonly begunAtMs: number;
  bytes: number;
  /**
   * Whether a write is in the thread pool. If the file were closed now, its descriptor could belong to
   * another file by the time the write runs.
   */
  isBusy: boolean;
  /** Whether no more will be written to this file. */
  isDone: boolean;
}

/** Lines to be written to the end of a file. */
interface Chunk extends TakenLines {
  readonly file: OpenFile;
}

/**
 * Appends lines to a file that only this process writes. A line survives kill -9 at the latest 100 ms after
 * `append`, as long as the event loop is not blocked and the disk accepts writes. Writes are asynchronous and
 * at known offsets, so a write that is in progress when the process exits can be repeated at the same offset.
 */
export class OutboxWriter {
  readonly #options: OutboxWriterOptions;
  #file: OpenFile | undefined;
  readonly #waiting = new LineBuffer();
  #timer: NodeJS.Timeout | undefined;
  #underWay: Chunk | undefined;
  #idle: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: OutboxWriterOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", this.discard, { once: true });
  }

  /**
   * Accepts a line, without its line break. Returns false if too much is waiting already, or the writer has
   * been stopped by `discard`.
   */
  append(line: string): boolean {
    if (this.#isClosed || this.#waiting.bytes > MAX_WAITING_BYTES) return false;
    this.#waiting.add(line);
    this.#timer ??= setTimeout(() => this.#flushGathered(), GATHER_MS).unref();
    return true;
  }

  /** Resolves once every appended line has been written, reported as lost, or discarded. */
  async flush(): Promise<void> {
    while (this.#waiting.bytes > 0 || this.#underWay !== undefined) {
      if (this.#underWay === undefined) this.#idle = this.#writeWaiting();
      await this.#idle;
    }
  }

  /**
   * Like `flush`, but synchronous, for when the process or the session ends. Never throws; a failed write is
   * not reported.
   */
  flushSync(): void {
    const underWay = this.#underWay;
    this.#underWay = undefined;
    try {
      if (underWay !== undefined) writeNow(underWay);
      const next = this.#takeWaiting();
      if (next !== undefined) writeNow(next);
    } catch {
      // The process may be exiting, when nobody can act on the error any more.
    }
  }

  /** Discards the waiting lines, and writes nothing from then on. Lines on disk are kept. */
  readonly discard = (): void => {
    this.#options.signal.removeEventListener("abort", this.discard);
    this.#isClosed = true;
    this.#waiting.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#closeFile();
  };

  #flushGathered(): void {
    this.#options.onGathered();
    void this.flush();
  }

  async #writeWaiting(): Promise<void> {
    const next = this.#takeWaiting();
    if (next === undefined) return;
    const { file, bytes, count } = next;
    this.#underWay = next;
    file.isBusy = true;
    const error = await writeLater(next);
    file.isBusy = false;
    // `flushSync` wrote these lines while this write was in progress.
    if (this.#underWay !== next) return closeWhenDone(file);
    this.#underWay = undefined;
    if (error !== undefined) this.#fail(error, count);
    else if (isDeleted(file) && !this.#isClosed) this.#takeBack(next);
    else {
      file.bytes += bytes.length;
      this.#waiting.recycle(next);
      this.#options.onWritten(bytes.length);
    }
    if (this.#isClosed) this.#closeFile();
  }

  /**
   * Takes the waiting lines, with the file to write them to. Undefined if there are none. Also undefined if
   * they may not be written, or no file can be opened; the lines are then dropped.
   */
  #takeWaiting(): Chunk | undefined {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const taken = this.#waiting.take();
    if (taken === undefined || !this.#options.mayWrite()) return undefined;
    try {
      return { file: this.#openFile(), ...taken };
    } catch (error) {
      this.#fail(error, taken.count);
      return undefined;
    }
  }

  /**
   * Puts lines back, so that they are written to the next file. A sweep deleted their file as completely
   * delivered while they were being written.
   */
  #takeBack(taken: TakenLines): void {
    this.#closeFile();
    this.#waiting.putBack(taken);
  }

  #fail(error: unknown, lines: number): void {
    // A failed write ends this file. If its last line is incomplete, that line is never sent.
    this.#closeFile();
    this.#options.onFault(error, lines);
  }

  /** The file to write to: the open file, or a new one if the open file is full, too old, or deleted. */
  #openFile(): OpenFile {
    const { folder, scope, now, maxFileBytes, maxFileAgeMs, onRotated } = this.#options;
    const nowMs = now();
    const open = this.#file;
    if (open !== undefined) {
      const isFull = open.bytes >= maxFileBytes || Math.abs(nowMs - open.begunAtMs) >= maxFileAgeMs;
      if (!isFull && !isDeleted(open)) return open;
      this.#closeFile();
      if (isFull) onRotated();
    }
    makeFolder(folder);
    const path = join(folder.outbox, nameOutboxFile(scope, nowMs));
    const fd = openSync(path, "wx", 0o600);
    this.#file = { fd, begunAtMs: nowMs, bytes: 0, isBusy: false, isDone: false };
    return this.#file;
  }

  #closeFile(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    file.isDone = true;
    closeWhenDone(file);
  }
}

function closeWhenDone({ fd, isBusy, isDone }: OpenFile): void {
  if (isBusy || !isDone) return;
  try {
    closeSync(fd);
  } catch {
    // The disk reported an error on closing. Nothing can be done about what was written.
  }
}

function isDeleted({ fd }: OpenFile): boolean {
  try {
    return fstatSync(fd).nlink === 0;
  } catch {
    return true;
  }
}

function writeNow({ file, bytes }: Chunk): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file.fd, bytes, done, bytes.length - done, file.bytes + done);
  }
  file.bytes += bytes.length;
}

/** Resolves to the error, or to undefined once everything is written. */
function writeLater({ file, bytes }: Chunk): Promise<Error | undefined> {
  const at = file.bytes;
  return new Promise((resolve) => {
    const writeRest = (done: number): void => {
      write(file.fd, bytes, done, bytes.length - done, at + done, (error, written) => {
        if (error !== null) resolve(error);
        else if (done + written === bytes.length) resolve(undefined);
        else writeRest(done + written);
      });
    };
    writeRest(0);
  });
}
