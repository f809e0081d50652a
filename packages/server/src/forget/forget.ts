import type { Log } from "../log/log.ts";
import type { Store } from "../store/client.ts";
import { whileStoreAnswers } from "../store/store-away.ts";
import { type ForgetKind, type ForgetRequest, subjectOf } from "./forget-request.ts";
import { deleteKeptFiles } from "./kept-files.ts";
import { deleteRows, type Removed, until } from "./stored-rows.ts";

export { type ForgetRequest, readForgetRequest } from "./forget-request.ts";

export interface ForgetDependencies {
  readonly store: Store;
  readonly log: Pick<Log, "pending">;
  /** Segments, among them copies of damaged ones. */
  readonly logDir: string;
  readonly setAsideDir: string;
  /** The forms in which an id may stand in the store. */
  readonly storedForms: (id: string) => readonly string[];
  readonly now: () => number;
}

/** What was done, for whoever asked. */
export interface ForgetReceipt {
  /** A contact's address is not repeated: a receipt is kept, and would keep it. */
  readonly forgotten: Readonly<Partial<Record<ForgetKind, string>>>;
  readonly requestedAt: string;
  readonly completedAt: string;
  readonly removed: readonly Removed[];
  readonly notes: readonly string[];
}

const DRAIN_MS = 30_000;

const NOTES = [
  "What was received after requestedAt is not part of this receipt.",
  "Message ids stay as hashes for at most 8 days, so that a message that is sent again is not taken again; they name nobody.",
  "Backups, and logs that a ClickHouse server writes of itself, are kept by whoever runs Candor, and are not reached from here.",
];
const OF_INSTANCES = [
  "The public key that the instance registered stays, with the instance's id and when that was, so that nobody else can take the id's place. It says nothing about anybody.",
  "Browsers' messages that came through the instance's gateway, and its installer's, carry no instance id unless the product puts it in. Those without it are not deleted: forget them by their userId or anonymousId, as a user.",
];
const NO_ID_IN_CONTACTS =
  "Contacts that people gave carry no id, so they were not searched; forget one by its address.";
const NO_CONTACT_IN_EVENTS =
  "Events carry no contact, so they were not searched; forget an instance or a user by its id.";

/**
 * Deletes what is kept of an instance, a user or a contact: first what waits in the log goes into the store, then the
 * rows are deleted, counted again, and the files that held them are waited for. What is not known gives 0 rows. An
 * instance's key stays, so that it can ask again, also after `forget_incomplete`.
 * @throws CandorError `store_away`, `forget_incomplete`: then nothing is promised, ask again
 */
export async function forget(request: ForgetRequest, deps: ForgetDependencies): Promise<ForgetReceipt> {
  const { kind, id } = subjectOf(request);
  const requestedAtMs = deps.now();
  const ids = kind === "contact" ? [id] : [...new Set([id, ...deps.storedForms(id)])];
  const stored = await whileStoreAnswers(async () => {
    await deps.store.query("SELECT 1");
    await untilDrained(deps.log, requestedAtMs);
    return deleteRows(deps.store, kind, ids, requestedAtMs);
  });
  const isCopy = (file: string): boolean => /\.(?:damaged|unreadable)$/.test(file);
  const setAside = await deleteKeptFiles(deps.setAsideDir, (file) => !isCopy(file), kind, ids);
  const copies =
    (await deleteKeptFiles(deps.setAsideDir, isCopy, kind, ids)) +
    (await deleteKeptFiles(deps.logDir, isCopy, kind, ids));
  return {
    forgotten: { [kind]: kind === "contact" ? "the address that was given" : id },
    requestedAt: new Date(requestedAtMs).toISOString(),
    completedAt: new Date(deps.now()).toISOString(),
    removed: [
      ...stored,
      { where: "set aside", rows: setAside },
      { where: "copies of damaged segments", rows: copies },
    ],
    notes: [
      ...NOTES,
      ...(kind === "instance" ? OF_INSTANCES : []),
      kind === "contact" ? NO_CONTACT_IN_EVENTS : NO_ID_IN_CONTACTS,
    ],
  };
}

/** Until what was received before is in the store. */
async function untilDrained(log: ForgetDependencies["log"], requestedAtMs: number): Promise<void> {
  const isDrained = (): boolean => (log.pending().oldestMs ?? Number.POSITIVE_INFINITY) > requestedAtMs;
  await until(isDrained, DRAIN_MS, "messages that wait for the store");
}
