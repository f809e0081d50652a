/** Keeps an outbox within its bounds, and the ages of its files right if the machine's clock is set. */
import { statSync } from "node:fs";
import { stat, utimes } from "node:fs/promises";
import type { Clock } from "../clock.ts";
import { countLines, deleteOutboxFile, listOutboxFiles, type OutboxFile } from "../outbox/outbox-file.ts";
import { draftsIn, removeFile, type StateFolder } from "../state/state-folder.ts";

/** The collector remembers messageIds for 8 days: what is sent later could be counted twice. */
export const MAX_AGE_MS = 7 * 24 * 60 * 60_000;

/** Replacing a file does not take an hour, so the process was killed meanwhile. */
const MAX_DRAFT_AGE_MS = 60 * 60_000;

/** Each start that records messages begins a file; more than this take long to list. */
const MAX_FILES = 1000;

/** What a sweep left, and what it deleted before it was sent, in messages. */
export interface Swept {
  readonly files: readonly OutboxFile[];
  readonly expired: number;
  readonly overflowed: number;
}

/**
 * Keeps an outbox within its bounds: deletes what is older than seven days, then, while it is larger than `maxBytes`
 * or has over 1,000 files, the oldest files, delivered ones first. Files that vanish meanwhile were swept by another
 * replica, which counts them.
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

/** Resolves to the number of messages that were lost with the file. */
async function deleteCounted(file: OutboxFile): Promise<number> {
  const waiting = isDelivered(file) ? 0 : await countLines(file.path, file.sentBytes).catch(() => 0);
  if (hasGrown(file)) return 0; // it is in use: the next sweep looks at it again
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

/** A smaller step cannot make a fresh file seven days old. */
const MIN_STEP_MS = 24 * 60 * 60_000;

/** By how much the clock was set, and the range of times that the old one showed since the machine started. */
export interface ClockStep {
  readonly byMs: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Compares the machine's clock with the time since it started, which nobody can set. A device without a battery
 * starts days or years behind, and the network corrects it while the product runs.
 */
export class ClockSteps {
  readonly #clock: Pick<Clock, "now" | "sinceBoot">;
  #before: { readonly nowMs: number; readonly bootMs: number };

  constructor(clock: Pick<Clock, "now" | "sinceBoot">) {
    this.#clock = clock;
    this.#before = this.#read();
  }

  /** The step since the last call; undefined if there was none of a day or more. */
  take(): ClockStep | undefined {
    const { nowMs, bootMs } = this.#before;
    const after = this.#read();
    const untilMs = nowMs + after.bootMs - bootMs;
    const byMs = after.nowMs - untilMs;
    if (Math.abs(byMs) < MIN_STEP_MS) return undefined;
    this.#before = after;
    return { byMs, fromMs: untilMs - after.bootMs, untilMs };
  }

  #read(): { readonly nowMs: number; readonly bootMs: number } {
    return { nowMs: this.#clock.now(), bootMs: this.#clock.sinceBoot() };
  }
}

/**
 * Gives files that were written under the old clock the time that the new one would have given them, so that every
 * process on the folder knows their age. Never rejects: a file that cannot be changed keeps its time.
 */
export async function correctTimes(files: readonly OutboxFile[], step: ClockStep): Promise<void> {
  for (const { path, writtenAtMs } of files) {
    if (writtenAtMs < step.fromMs || writtenAtMs > step.untilMs) continue;
    // Another replica may already have done so: never later than now.
    const writtenAt = new Date(Math.min(writtenAtMs, step.untilMs) + step.byMs);
    await utimes(path, writtenAt, writtenAt).catch(() => undefined);
  }
}
