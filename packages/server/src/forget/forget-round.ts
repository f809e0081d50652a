/** Runs one round of deletions, for all waiting requests together. */
import type { Plan } from "@candor/plan";
import type { Log } from "../log/log.ts";
import { type Store, whileStoreAnswers } from "../store/client.ts";
import type { ForgetKind } from "./forget-request.ts";
import { deleteKeptFiles } from "./kept-files.ts";
import { until } from "./store-progress.ts";
import { deleteRows, type Removed } from "./stored-rows.ts";

export interface ForgetDependencies {
  readonly store: Store;
  readonly log: Pick<Log, "pending">;
  /** Segment files, among them copies of damaged ones. */
  readonly logDir: string;
  readonly quarantineDir: string;
  /** The forms in which the store may hold an id. */
  readonly storedForms: (id: string) => readonly string[];
  /** Says in which fields an instance's id is. */
  readonly plan: () => Plan;
  readonly now: () => number;
}

/** Who is to be forgotten. */
export interface Subject {
  readonly kind: ForgetKind;
  readonly id: string;
  readonly requestedAtMs: number;
}

/** The result for one subject. */
export interface Forgotten {
  readonly removed: readonly Removed[];
  /** Rows that contain the id as text but not as an id, and are kept. */
  readonly elsewhere: number;
}

const DRAIN_MS = 30_000;

const isCopy = (file: string): boolean => /\.(?:damaged|unreadable)$/.test(file);
const isRow = (file: string): boolean => !isCopy(file);

/**
 * Deletes everything received of the subjects until now. @returns a result for each subject, in order
 * @throws CandorError `store_away`, `forget_incomplete`: then nothing is guaranteed for any of them
 */
export async function runRound(
  subjects: readonly Subject[],
  { store, log, logDir, quarantineDir, storedForms, plan, now }: ForgetDependencies,
): Promise<Forgotten[]> {
  const startedAtMs = now();
  const sought = subjects.map(({ kind, id }) => ({ kind, ids: formsOf(kind, id, storedForms) }));
  const stored = await whileStoreAnswers(async () => {
    await store.query("SELECT 1");
    await untilDrained(log, startedAtMs);
    return deleteRows(store, sought, { untilMs: startedAtMs, plan: plan() });
  });
  const rows = await deleteKeptFiles(quarantineDir, isRow, sought);
  const copies = await deleteKeptFiles(quarantineDir, isCopy, sought);
  const damaged = await deleteKeptFiles(logDir, isCopy, sought);
  return stored.map(({ removed, elsewhere }, n) => ({
    removed: [
      removed,
      { where: "quarantine", rows: rows[n] ?? 0 },
      { where: "copies of damaged segments", rows: (copies[n] ?? 0) + (damaged[n] ?? 0) },
    ],
    elsewhere,
  }));
}

/**
 * What an SDK sends for an id that the plan hashes. For an id whose form the plan does not declare, it sends half of
 * that.
 */
const SDK_HASH = /^[0-9a-f]{64}$/;
const SHORT_HASH_LENGTH = 32;

/** A column never contains half of a surrogate pair; it has U+FFFD instead. */
function formsOf(
  kind: ForgetKind,
  id: string,
  storedForms: ForgetDependencies["storedForms"],
): readonly string[] {
  const wellFormed = id.replace(/\p{Surrogate}/gu, "\ufffd");
  if (kind !== "user") return [wellFormed];
  const sent = SDK_HASH.test(id) ? [id, id.slice(0, SHORT_HASH_LENGTH)] : [wellFormed];
  return [...new Set(sent.flatMap((form) => [form, ...storedForms(form)]))];
}

/** Resolves once everything received before is in the store. */
async function untilDrained(log: ForgetDependencies["log"], startedAtMs: number): Promise<void> {
  const isDrained = (): boolean => (log.pending().oldestMs ?? Number.POSITIVE_INFINITY) > startedAtMs;
  await until(isDrained, DRAIN_MS, "messages that wait for the store");
}
