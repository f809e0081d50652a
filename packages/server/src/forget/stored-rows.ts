/** Deletes rows from the store, and counts them for each subject. */
import { randomUUID } from "node:crypto";
import type { Plan } from "@candor/plan";
import { CandorError } from "../errors.ts";
import { DATABASE, type Store } from "../store/client.ts";
import { isOfInstance } from "../store/instance-rows.ts";
import type { ForgetKind } from "./forget-request.ts";
import { isMutating, untilFilesAreGone, untilMutated } from "./store-progress.ts";

/** Rows that were removed from one place. */
export interface Removed {
  readonly where: string;
  readonly rows: number;
}

/** Whose rows are deleted. */
export interface Sought {
  readonly kind: ForgetKind;
  /** The forms in which an id may stand in the store; for a contact, its address. */
  readonly ids: readonly string[];
}

/** The result for one subject. */
export interface DeletedRows {
  readonly removed: Removed;
  /** Rows that are kept because they hold one of the ids as text only, not as an id. */
  readonly elsewhere: number;
}

const MAX_DELETIONS = 3;

/**
 * Deletes the rows of all subjects from all nodes, with one mutation per table. Resolves when the files that
 * contained them are gone. Meanwhile the ids are in an in-memory table, because the store writes the text of a
 * mutation to a file that it keeps.
 * @param options `untilMs`: rows received up to then must be gone at the end; later ones may go too. `plan`: says in
 * which fields an instance's id is
 * @returns a result for each subject, in order; a row of several subjects counts for each
 * @throws CandorError `forget_incomplete`; and what the client throws while the store is away
 */
export async function deleteRows(
  store: Store,
  sought: readonly Sought[],
  { untilMs, plan }: { readonly untilMs: number; readonly plan: Plan },
): Promise<DeletedRows[]> {
  const round = randomUUID();
  const ids = sought.flatMap(({ kind, ids }, request) =>
    ids.map((id) => ({ round, request, kind, id, text: JSON.stringify(id) })),
  );
  try {
    await store.insertRowsEverywhere("forgetting", ids);
    const deletions = (["events", "contacts"] as const)
      .map((table) => toDeletion(store, table, round, sought, plan))
      .filter((deletion) => deletion !== undefined);
    const deleted = new Map<number, DeletedRows>();
    for (const deletion of deletions)
      for (const [request, rows] of await deleteFrom(deletion, untilMs)) deleted.set(request, rows);
    await untilFilesAreGone(
      store,
      deletions.map(({ table }) => table),
    );
    return sought.map((_, request) => {
      const rows = deleted.get(request);
      if (rows === undefined) throw new Error("what is sought is in no table");
      return rows;
    });
  } finally {
    await dropIds(store, round);
  }
}

/** Keeps the ids while a mutation still reads them; the table is in memory, so the store's next start clears it. */
async function dropIds(store: Store, round: string): Promise<void> {
  if (!(await isMutating(store, round))) {
    await store.command(`ALTER TABLE forgetting DELETE WHERE round = '${round}'`);
  }
}

/** One table's part of a round. */
interface Deletion {
  readonly store: Store;
  readonly table: ForgetTable;
  readonly round: string;
  /** The subjects whose rows are in the table, by their index in `sought`. */
  readonly requests: readonly number[];
  /** SQL conditions for the rows of any of them, and of each. */
  readonly isAny: string;
  readonly isEach: readonly string[];
  /** SQL conditions for the rows that mention any of them, and each. */
  readonly mentionsAny: string;
  readonly mentionsEach: readonly string[];
}

function toDeletion(
  store: Store,
  table: ForgetTable,
  round: string,
  sought: readonly Sought[],
  plan: Plan,
): Deletion | undefined {
  const kinds = TABLES[table].kinds.filter((kind) => sought.some((one) => one.kind === kind));
  const sets = [...sought.entries()]
    .map(([request, { kind }]) => ({ round, kind, request }))
    .filter((set) => kinds.some((kind) => kind === set.kind));
  if (sets.length === 0) return undefined;
  const any = (condition: (set: IdSet) => string): string =>
    `(${kinds.map((kind) => condition({ round, kind })).join(" OR ")})`;
  const isMention = table === "events" ? mentions : () => "0";
  return {
    store,
    table,
    round,
    requests: sets.map(({ request }) => request),
    isAny: any((set) => isOf(set, plan)),
    isEach: sets.map((set) => isOf(set, plan)),
    mentionsAny: any(isMention),
    mentionsEach: sets.map(isMention),
  };
}

/** @returns results by index in `sought` */
async function deleteFrom(deletion: Deletion, untilMs: number): Promise<Map<number, DeletedRows>> {
  const { store, table, round, requests, isAny } = deletion;
  const removed = new Map<number, number>();
  for (let n = 0; n < MAX_DELETIONS; n++) {
    const found = await findRows(deletion);
    if (found.length === 0) break;
    const deletions = found.map(({ month }) => `DELETE IN PARTITION ID '${month}' WHERE ${isAny}`);
    // Not awaited here: a request ends after a minute, and a deletion in a large store takes longer.
    await store.command(`ALTER TABLE ${table} ${deletions.join(", ")} SETTINGS mutations_sync = 0`);
    await untilMutated(store, round);
    for (const { rows } of found) {
      for (const [request, count] of rows) removed.set(request, (removed.get(request) ?? 0) + count);
    }
  }
  const elsewhere = await checkRest(deletion, untilMs);
  return new Map(
    requests.map((request) => [
      request,
      {
        removed: { where: table, rows: removed.get(request) ?? 0 },
        elsewhere: elsewhere.get(request) ?? 0,
      },
    ]),
  );
}

/** Counts the rows to delete by month: a month is a partition, and partitions without such rows are left alone. */
async function findRows({
  store,
  table,
  requests,
  isAny,
  isEach,
}: Deletion): Promise<{ month: number; rows: Map<number, number> }[]> {
  const counts = isEach.map((condition, n) => `countIf(${condition}) AS request${n}`);
  const months = await store.query(
    `SELECT ${TABLES[table].month} AS month, ${counts.join(", ")} FROM ${table} WHERE ${isAny} GROUP BY month ORDER BY month`,
  );
  return months.map((row) => ({ month: Number(row.month), rows: readCounts(row, requests) }));
}

/**
 * Counts the rows that mention each subject and are kept. A subject may still be sending, so rows received after the
 * request do not count as left over. @throws CandorError `forget_incomplete` if older rows are left
 */
async function checkRest(
  { store, table, requests, isAny, isEach, mentionsAny, mentionsEach }: Deletion,
  untilMs: number,
): Promise<Map<number, number>> {
  const isOld = table === "events" ? `receivedAt <= fromUnixTimestamp64Milli(${untilMs}, 'UTC')` : "1";
  const counts = mentionsEach.map((mention, n) => `countIf(${mention} AND NOT ${isEach[n]}) AS request${n}`);
  const [row = {}] = await store.query(
    `SELECT countIf(${isAny} AND ${isOld}) AS rest, ${counts.join(", ")} FROM ${table} WHERE ${isAny} OR ${mentionsAny}`,
  );
  if (Number(row.rest) > 0) throw new CandorError("forget_incomplete", { what: `rows in ${table}` });
  return readCounts(row, requests);
}

function readCounts(row: Record<string, unknown>, requests: readonly number[]): Map<number, number> {
  return new Map(requests.map((request, n) => [request, Number(row[`request${n}`] ?? 0)]));
}

/** The tables that hold the rows of each kind, and the partition of a row. */
export const TABLES = {
  events: { kinds: ["instance", "user"], month: "toYYYYMM(receivedAt)" },
  contacts: { kinds: ["contact"], month: "toYYYYMM(day)" },
} as const satisfies { [table: string]: { kinds: readonly ForgetKind[]; month: string } };

export type ForgetTable = keyof typeof TABLES;

/** The ids of one kind in a round; with `request`, only those of that request. */
export interface IdSet {
  readonly round: string;
  readonly kind: ForgetKind;
  readonly request?: number;
}

/** Matches the rows to delete. The plan says in which fields an instance's id is. */
function isOf(set: IdSet, plan: Plan): string {
  const ids = select("id", set);
  if (set.kind === "instance") return `(${isOfInstance(plan, ids)} OR ${isUnreadableWith(set)})`;
  if (set.kind === "contact") return `lowerUTF8(contact) IN (SELECT lowerUTF8(id) FROM ${ids})`;
  const isPrevious = `(position(envelope, '"previousId"') > 0 AND JSONExtractString(envelope, 'previousId') IN ${ids})`;
  return `(userId IN ${ids} OR anonymousId IN ${ids} OR ${isPrevious} OR ${isUnreadableWith(set)})`;
}

/** Matches events whose envelope holds one of the ids as a whole string anywhere. A set may have at most 255 ids. */
function mentions(set: IdSet): string {
  return `multiSearchAny(envelope, ${select("groupArray(text)", set)})`;
}

/**
 * The store finds nothing at all in a document that it cannot parse as a whole (half of a surrogate pair, a number beyond 64
 * bits). In such a document an id counts wherever it is: a doubtful row is deleted.
 */
function isUnreadableWith(set: IdSet): string {
  return `(${mentions(set)} AND NOT isValidJSON(envelope))`;
}

function select(column: string, { round, kind, request }: IdSet): string {
  const ofRequest = request === undefined ? "" : ` AND request = ${request}`;
  return `(SELECT ${column} FROM ${DATABASE}.forgetting WHERE round = '${round}' AND kind = '${kind}'${ofRequest})`;
}
