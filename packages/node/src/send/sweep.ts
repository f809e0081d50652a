import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { countLines, deleteOutboxFile, listOutboxFiles, type OutboxFile } from "../outbox/outbox-file.ts";
import { removeFile } from "../state/state-folder.ts";

/** The collector knows messageIds for 8 days: what is sent later could be counted twice. */
export const MAX_AGE_MS = 7 * 24 * 60 * 60_000;

/** A file that was being replaced when its process was killed. */
const DRAFT = /\.tmp$/;
const MAX_DRAFT_AGE_MS = 60 * 60_000;

/** What a sweep deleted before it was sent, in messages. */
export interface Swept {
  readonly expired: number;
  readonly overflowed: number;
}

/**
 * Keeps an outbox within its bounds: deletes what is older than seven days, then, while it is larger than `maxBytes`,
 * the oldest files, delivered ones first. Files that vanish meanwhile were swept by another replica, which counts them.
 */
export async function sweepOutbox(outbox: string, maxBytes: number, nowMs: number): Promise<Swept> {
  await deleteDrafts(outbox, nowMs);
  let expired = 0;
  const young: OutboxFile[] = [];
  for (const file of await listOutboxFiles(outbox)) {
    if (nowMs - file.writtenAtMs <= MAX_AGE_MS) young.push(file);
    else expired += await deleteCounted(file);
  }
  let total = young.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let overflowed = 0;
  for (const file of [...young.filter(isDelivered), ...young.filter((one) => !isDelivered(one))]) {
    if (total <= maxBytes) break;
    overflowed += await deleteCounted(file);
    total -= file.sizeBytes;
  }
  return { expired, overflowed };
}

export function isDelivered({ sizeBytes, sentBytes }: OutboxFile): boolean {
  return sentBytes >= sizeBytes;
}

/** Resolves to the number of messages that were lost with the file. */
async function deleteCounted(file: OutboxFile): Promise<number> {
  const waiting = isDelivered(file) ? 0 : await countLines(file.path, file.sentBytes).catch(() => 0);
  return deleteOutboxFile(file.path) ? waiting : 0;
}

async function deleteDrafts(outbox: string, nowMs: number): Promise<void> {
  const names = await readdir(outbox).catch(() => []);
  for (const name of names.filter((each) => DRAFT.test(each))) {
    const path = join(outbox, name);
    const writtenAtMs = (await stat(path).catch(() => undefined))?.mtimeMs ?? nowMs;
    if (nowMs - writtenAtMs > MAX_DRAFT_AGE_MS) removeFile(path);
  }
}
