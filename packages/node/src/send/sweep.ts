/** Keeps an outbox within its limits, and corrects the ages of its files if the machine's clock is set. */
import { statSync } from "node:fs";
import { stat, utimes } from "node:fs/promises";
import type { Clock } from "../clock.ts";
import { countLines, deleteOutboxFile, listOutboxFiles, type OutboxFile } from "../outbox/outbox-file.ts";
import { draftsIn, removeFile, type StateFolder } from "../state/state-folder.ts";
import type { ClockReading } from "./delivery.ts";

/** The collector remembers messageIds for 8 days. Messages sent later could be counted twice. */
export const MAX_AGE_MS = 7 * 24 * 60 * 60_000;

/** Replacing a file never takes an hour, so an older draft was left by a process that was killed. */
const MAX_DRAFT_AGE_MS = 60 * 60_000;

/** Each start that records messages creates a file, and listing more files than this takes long. */
const MAX_FILES = 1000;

/** The files that a sweep left, and the number of messages that it deleted before they were sent. */
export interface Swept {
  readonly files: readonly OutboxFile[];
  readonly expired: number;
  readonly overflowed: number;
}

/**
 * Keeps an outbox within its limits. First deletes temporary files that killed processes left, and files last
 * written more than seven days ago. Then deletes the oldest files, delivered ones first, while the outbox is
 * larger than `maxBytes` or has too many files. A file that disappears in the meantime was swept by another
 * replica, which counts its messages.
 */
export async function sweepOutbox(folder: StateFolder, maxBytes: number, nowMs: number): Promise<Swept> {
  await deleteDrafts(folder, nowMs);
  let expired = 0;
  const young: OutboxFile[] = [];
  for (const file of await listOutboxFiles(folder.outbox)) {
    if (nowMs - file.writtenAtMs <= MAX_AGE_MS) young.push(file);
    else expired += await deleteCounted(file);
  }
  const left = new Set(young);
  let total = young.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let overflowed = 0;
  for (const file of [...young.filter(isDelivered), ...young.filter((one) => !isDelivered(one))]) {
    if (total <= maxBytes && left.size <= MAX_FILES) break;
    overflowed += await deleteCounted(file);
    left.delete(file);
    total -= file.sizeBytes;
  }
  return { files: [...left], expired, overflowed };
}

export function isDelivered({ sizeBytes, sentBytes }: OutboxFile): boolean {
  return sentBytes >= sizeBytes;
}

/** Deletes a file. Resolves to the number of messages that were lost with it. */
async function deleteCounted(file: OutboxFile): Promise<number> {
  const waiting = isDelivered(file) ? 0 : await countLines(file.path, file.sentBytes).catch(() => 0);
  if (hasGrown(file)) return 0; // the file is in use, and the next sweep checks it again
  return deleteOutboxFile(file.path) ? waiting : 0;
}

function hasGrown({ path, sizeBytes }: OutboxFile): boolean {
  return statSync(path, { throwIfNoEntry: false })?.size !== sizeBytes;
}

async function deleteDrafts(folder: StateFolder, nowMs: number): Promise<void> {
  for (const path of draftsIn(folder)) {
    const writtenAtMs = (await stat(path).catch(() => undefined))?.mtimeMs ?? nowMs;
    if (nowMs - writtenAtMs > MAX_DRAFT_AGE_MS) removeFile(path);
  }
}

/** The smallest step that is corrected. A smaller step cannot make a new file look seven days old. */
const MIN_STEP_MS = 24 * 60 * 60_000;

/**
 * A step of the machine's clock. `byMs` says how far the clock was set. From boot until the step, it had
 * shown the times from `fromMs` to `untilMs`.
 */
export interface ClockStep {
  readonly byMs: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** The clock as sweeps read it. */
export type SweepClock = Pick<Clock, "now" | "sinceBoot" | "bootId">;

/**
 * Detects when the machine's clock is set, by comparing it with the time since the machine started, which
 * nobody can set. A device without a battery starts with a clock that is days or years behind, and the
 * network corrects it while the product runs, or between two runs.
 */
export class ClockSteps {
  readonly #clock: SweepClock;
  #before: ClockReading;
  #isNoted: boolean;
  #isFirst = true;

  constructor(clock: SweepClock) {
    this.#clock = clock;
    this.#before = this.#read();
    this.#isNoted = this.#before.bootId === undefined;
  }

  /** Whether a reading is stored for later processes, or would be of no use to them without a boot id. */
  get isNoted(): boolean {
    return this.#isNoted;
  }

  /** Returns the reading to store for later processes; undefined if there is no boot id to compare it by. */
  note(): ClockReading | undefined {
    this.#isNoted = true;
    return this.#before.bootId === undefined ? undefined : this.#before;
  }

  /**
   * Returns how the clock was set since the last step, or since this object was created; undefined if it was
   * set by less than a day. The first call compares with the reading that an earlier process stored, unless
   * the machine has been restarted since.
   */
  take(readStored: () => ClockReading | undefined): ClockStep | undefined {
    const stored = this.#isFirst ? readStored() : undefined;
    this.#isFirst = false;
    // In some containers, the time since boot counts from the container's start, so it may begin again under
    // the same boot id.
    const isOfThisBoot = stored?.bootId === this.#before.bootId;
    if (stored !== undefined && isOfThisBoot && stored.bootMs <= this.#before.bootMs) {
      this.#before = stored;
      this.#isNoted = true;
    }
    const { nowMs, bootMs } = this.#before;
    const after = this.#read();
    const untilMs = nowMs + after.bootMs - bootMs;
    const byMs = after.nowMs - untilMs;
    if (Math.abs(byMs) < MIN_STEP_MS) return undefined;
    this.#before = after;
    this.#isNoted = after.bootId === undefined;
    return { byMs, fromMs: untilMs - after.bootMs, untilMs };
  }

  #read(): ClockReading {
    const { now, sinceBoot, bootId } = this.#clock;
    return { bootId: bootId(), bootMs: sinceBoot(), nowMs: now() };
  }
}

/**
 * Corrects the modification times of files that were written before the clock was set, so that every process
 * that uses the folder knows their age. Never rejects: a file that cannot be changed keeps its time.
 */
export async function correctTimes(files: readonly OutboxFile[], step: ClockStep): Promise<void> {
  for (const { path, writtenAtMs } of files) {
    if (writtenAtMs < step.fromMs || writtenAtMs > step.untilMs) continue;
    // Another replica may have corrected the time already, so the result is limited to the present.
    const writtenAt = new Date(Math.min(writtenAtMs, step.untilMs) + step.byMs);
    await utimes(path, writtenAt, writtenAt).catch(() => undefined);
  }
}
