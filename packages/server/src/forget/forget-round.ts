/** Runs one round of deletions, which serves one or more requests together. */
import type { Plan } from "@candor/plan";
import type { Log } from "../log/log.ts";
import { type Store, whileStoreAnswers } from "../store/client.ts";
import type { PlanStore } from "../store/plan-store.ts";
import type { ForgetKind } from "./forget-request.ts";
import { deleteKeptFiles } from "./kept-files.ts";
import { until } from "./store-progress.ts";
import { deleteRows, type Removed } from "./stored-rows.ts";

export interface ForgetDependencies {
  readonly store: Store;
  readonly log: Pick<Log, "pending">;
  /** The folder of segment files, including copies of damaged ones. */
  readonly logDir: string;
  readonly quarantineDir: string;
  readonly rollups: Pick<PlanStore, "noteMonths" | "rebuild">;
  /** Returns the forms in which the store may hold an id. */
  readonly storedForms: (id: string) => readonly string[];
  /** Returns the plan in force, which says in which fields an instance's id is. */
  readonly plan: () => Plan;
  readonly now: () => number;
}

/** An instance, a user or a contact to be forgotten. */
export interface Subject {
  readonly kind: ForgetKind;
  readonly id: string;
  readonly requestedAtMs: number;
}

/** The result for one subject. */
export interface Forgotten {
  readonly removed: readonly Removed[];
  /** Number of rows that contain the id as text but not as an id, and are therefore kept. */
  readonly elsewhere: number;
}

const DRAIN_MS = 30_000;

const isCopy = (file: string): boolean => /\.(?:damaged|unreadable)$/.test(file);
const isRow = (file: string): boolean => !isCopy(file);

/**
 * Deletes what was received about the subjects before this call, from the store, the quarantine and the log's
 * folder.
 * @returns a result for each subject, in order
 * @throws CandorError `store_away`, `forget_incomplete`; in both cases nothing is guaranteed for any subject
 */
export async function runRound(
  subjects: readonly Subject[],
  { store, log, logDir, quarantineDir, rollups, storedForms, plan, now }: ForgetDependencies,
): Promise<Forgotten[]> {
  const startedAtMs = now();
  const sought = subjects.map(({ kind, id }) => ({ kind, ids: formsOf(kind, id, storedForms) }));
  const stored = await whileStoreAnswers(async () => {
    await store.query("SELECT 1");
    await untilDrained(log, startedAtMs);
    return deleteRows(store, sought, { untilMs: startedAtMs, plan: plan(), rollups });
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
 * The hash that an SDK sends in place of an id for which the plan says `hash: true`. In place of an id that
 * does not match the plan, the SDK sends only the first half of this hash.
 */
const SDK_HASH = /^[0-9a-f]{64}$/;
const SHORT_HASH_LENGTH = 32;

/**
 * Returns the forms of an id to search for. Those of a user's id include its hashes. Unpaired surrogates are
 * replaced with U+FFFD, as they are in the store's columns.
 */
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

/**
 * Resolves once everything received up to `startedAtMs` has left the log.
 * @throws CandorError `forget_incomplete` if that takes too long
 */
async function untilDrained(log: ForgetDependencies["log"], startedAtMs: number): Promise<void> {
  const isDrained = (): boolean => (log.pending().oldestMs ?? Number.POSITIVE_INFINITY) > startedAtMs;
  await until(isDrained, DRAIN_MS, "messages that wait for the store");
}
