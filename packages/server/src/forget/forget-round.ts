import type { Plan } from "@candor/plan";
import type { Log } from "../log/log.ts";
import type { Store } from "../store/client.ts";
import { whileStoreAnswers } from "../store/store-away.ts";
import type { ForgetKind } from "./forget-request.ts";
import { deleteKeptFiles } from "./kept-files.ts";
import { until } from "./store-progress.ts";
import { deleteRows, type Removed } from "./stored-rows.ts";

export interface ForgetDependencies {
  readonly store: Store;
  readonly log: Pick<Log, "pending">;
  /** Segments, among them copies of damaged ones. */
  readonly logDir: string;
  readonly quarantineDir: string;
  /** The forms in which an id may stand in the store. */
  readonly storedForms: (id: string) => readonly string[];
  /** It names where an instance's id stands. */
  readonly plan: () => Plan;
  readonly now: () => number;
}

/** Who is to be forgotten. */
export interface Subject {
  readonly kind: ForgetKind;
  readonly id: string;
  readonly requestedAtMs: number;
}

/** What became of one subject's rows. */
export interface Forgotten {
  readonly removed: readonly Removed[];
  /** Rows that hold the id as text, but not as an id. They are kept. */
  readonly elsewhere: number;
}

const DRAIN_MS = 30_000;

const isCopy = (file: string): boolean => /\.(?:damaged|unreadable)$/.test(file);
const isRow = (file: string): boolean => !isCopy(file);

/**
 * Deletes all that was received of the subjects before now. @returns for each subject, in their order
 * @throws CandorError `store_away`, `forget_incomplete`: then nothing is promised of any of them
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

/** As an SDK hashes an id that the plan has hashed; one of a form that the plan does not declare, to half of that. */
const SDK_HASH = /^[0-9a-f]{64}$/;
const SHORT_HASH_LENGTH = 32;

/** Half of a surrogate pair reaches no column: it stands there as U+FFFD. */
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

/** Until what was received before is in the store. */
async function untilDrained(log: ForgetDependencies["log"], startedAtMs: number): Promise<void> {
  const isDrained = (): boolean => (log.pending().oldestMs ?? Number.POSITIVE_INFINITY) > startedAtMs;
  await until(isDrained, DRAIN_MS, "messages that wait for the store");
}
