/** Deletes rows from the store, and counts them for each subject. */
import { randomUUID } from "node:crypto";
import type { Plan } from "@candor/plan";
import { CandorError } from "../errors.ts";
import type { Store } from "../store/client.ts";
import { isOfInstance } from "../store/instance-rows.ts";
import type { PlanStore } from "../store/plan-store.ts";
import { ROLLUPS } from "../store/rollups.ts";
import type { ForgetKind } from "./forget-request.ts";
import { isMutating, untilFilesAreGone, untilMutated } from "./store-progress.ts";

/** The number of rows that were removed from one place; for damaged segment files, the number of files. */
export interface Removed {
  readonly where: string;
  readonly rows: number;
}

/** A subject whose rows are deleted. */
export interface Sought {
  readonly kind: ForgetKind;
  /** The forms in which the store may hold the id; for a contact, the address. */
  readonly ids: readonly string[];
}

/** The result for one subject. */
export interface DeletedRows {
  readonly removed: Removed;
  /** Number of rows that contain one of the ids as text but not as an id, and are therefore kept. */
  readonly elsewhere: number;
}

export interface DeleteOptions {
  /** Rows received up to this time must be gone at the end; later rows may be deleted too. */
  readonly untilMs: number;
  /** Says in which fields an instance's id is. */
  readonly plan: Plan;
  readonly rollups: Pick<PlanStore, "noteMonths" | "rebuild">;
}

const MAX_DELETIONS = 3;

/**
 * Deletes the rows of all subjects, and their exclusions, from all nodes, and rebuilds the rollups. Each
 * mutation covers all subjects. Resolves when the files that contained the rows are gone. Until then the ids
 * are in an in-memory table, because the store writes the SQL of a mutation to a file and keeps that file.
 * @returns a result for each subject, in order; a row of several subjects counts for each
 * @throws CandorError `forget_incomplete`; also what the client throws while the store cannot be reached
 */
export async function deleteRows(
  store: Store,
  sought: readonly Sought[],
  { untilMs, plan, rollups }: DeleteOptions,
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
      for (const [request, rows] of await deleteFrom(deletion, untilMs, rollups)) deleted.set(request, rows);
    await deleteExclusions(store, round);
    await checkIds(store, round, ids.length);
    await rollups.rebuild();
    await untilFilesAreGone(store, [...Object.keys(TABLES), "exclusions", ...ROLLUPS]);
    return sought.map((_, request) => {
      const rows = deleted.get(request);
      if (rows === undefined) throw new Error("what is sought is in no table");
      return rows;
    });
  } finally {
    await dropIds(store, round);
  }
}

/**
 * Checks that the table of ids still has all of them. It is in memory, so a store that restarted meanwhile has lost
 * them: its mutations then deleted nothing, and nothing was found that is left.
 * @throws CandorError `forget_incomplete` if ids are missing
 */
async function checkIds(store: Store, round: string, expected: number): Promise<void> {
  const nodes = await store.queryEveryNode(`SELECT count() AS ids FROM forgetting WHERE round = '${round}'`);
  if (!nodes.flat().every(({ ids }) => Number(ids) === expected))
    throw new CandorError("forget_incomplete", { what: "rows, because the store was restarted" });
}

/**
 * Deletes the round's ids, unless a mutation still reads them. Remaining ids are deleted when the store
 * restarts, because the table is in memory.
 */
async function dropIds(store: Store, round: string): Promise<void> {
  if (!(await isMutating(store, round))) {
    await store.command(`ALTER TABLE forgetting DELETE WHERE round = '${round}'`);
  }
}

/** Deletes the exclusions of the forgotten instances, because they contain the ids. */
async function deleteExclusions(store: Store, round: string): Promise<void> {
  const isForgotten = `instance IN ${select("id", { database: store.databases.local, round, kind: "instance" })}`;
  const [found] = await store.query(`SELECT count() AS rows FROM exclusions WHERE ${isForgotten}`);
  if (Number(found?.rows) === 0) return;
  await store.command(`ALTER TABLE exclusions DELETE WHERE ${isForgotten} SETTINGS mutations_sync = 0`);
  await untilMutated(store, round);
}

/** The part of a round that concerns one table. */
interface Deletion {
  readonly store: Store;
  readonly table: ForgetTable;
  readonly round: string;
  /** The subjects whose rows may be in the table, by their index in the round. */
  readonly requests: readonly number[];
  /** SQL conditions for the rows of any of these subjects, and for the rows of each. */
  readonly isAny: string;
  readonly isEach: readonly string[];
  /** SQL conditions for the rows that mention any of these subjects, and for those that mention each. */
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
  const database = store.databases.local;
  const sets = [...sought.entries()]
    .map(([request, { kind }]) => ({ database, round, kind, request }))
    .filter((set) => kinds.some((kind) => kind === set.kind));
  if (sets.length === 0) return undefined;
  const any = (condition: (set: IdSet) => string): string =>
    `(${kinds.map((kind) => condition({ database, round, kind })).join(" OR ")})`;
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

/**
 * Deletes the rows of one table, repeating until none is found, at most `MAX_DELETIONS` times.
 * @returns the result for each subject, by its index (see `deletion.requests`)
 * @throws CandorError `forget_incomplete` if rows are left
 */
async function deleteFrom(
  deletion: Deletion,
  untilMs: number,
  rollups: DeleteOptions["rollups"],
): Promise<Map<number, DeletedRows>> {
  const { store, table, round, requests, isAny } = deletion;
  const removed = new Map<number, number>();
  for (let n = 0; n < MAX_DELETIONS; n++) {
    const found = await findRows(deletion);
    if (found.length === 0) break;
    if (table === "events") await rollups.noteMonths(found.map(({ month }) => month));
    const deletions = found.map(({ month }) => `DELETE IN PARTITION ID '${month}' WHERE ${isAny}`);
    // The mutation is not awaited here: a request times out after a minute, and a deletion in a large store
    // takes longer.
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

/**
 * Counts the rows to delete, by month and subject. A month is a partition. Months without such rows are left
 * out, so that the deletion does not touch their partitions.
 */
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
 * Counts the kept rows that mention each subject. Events received after `untilMs` are not treated as left
 * over, because a subject may still be sending. Contacts have no time, so any that match count as left over.
 * @throws CandorError `forget_incomplete` if rows to delete are left
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

/** The tables, each with the kinds of subject whose rows it holds and with the SQL for a row's partition. */
export const TABLES = {
  events: { kinds: ["instance", "user"], month: "toYYYYMM(receivedAt)" },
  contacts: { kinds: ["contact"], month: "toYYYYMM(day)" },
} as const satisfies { [table: string]: { kinds: readonly ForgetKind[]; month: string } };

export type ForgetTable = keyof typeof TABLES;

/** The ids of one kind in a round. If `request` is set, only the ids of that request. */
export interface IdSet {
  /** The database that has the table of ids. A mutation's subquery has no default database. */
  readonly database: string;
  readonly round: string;
  readonly kind: ForgetKind;
  readonly request?: number;
}

/** Returns the SQL condition for the rows to delete. The plan says in which fields an instance's id is. */
function isOf(set: IdSet, plan: Plan): string {
  const ids = select("id", set);
  if (set.kind === "instance") return `(${isOfInstance(plan, ids)} OR ${isUnreadableWith(set)})`;
  if (set.kind === "contact") return `lowerUTF8(contact) IN (SELECT lowerUTF8(id) FROM ${ids})`;
  const isPrevious = `(position(envelope, '"previousId"') > 0 AND JSONExtractString(envelope, 'previousId') IN ${ids})`;
  return `(userId IN ${ids} OR anonymousId IN ${ids} OR ${isPrevious} OR ${isUnreadableWith(set)})`;
}

/**
 * Returns the SQL condition for events whose envelope contains one of the ids as a whole string anywhere. A
 * set may have at most 255 ids.
 */
function mentions(set: IdSet): string {
  return `multiSearchAny(envelope, ${select("groupArray(text)", set)})`;
}

/**
 * Returns the SQL condition for envelopes that mention an id and that the store cannot parse, such as one
 * with an unpaired surrogate or an integer beyond 64 bits. The store finds no field in such an envelope, so
 * it is deleted wherever the id is in it.
 */
function isUnreadableWith(set: IdSet): string {
  return `(${mentions(set)} AND NOT isValidJSON(envelope))`;
}

function select(column: string, { database, round, kind, request }: IdSet): string {
  const ofRequest = request === undefined ? "" : ` AND request = ${request}`;
  return `(SELECT ${column} FROM ${database}.forgetting WHERE round = '${round}' AND kind = '${kind}'${ofRequest})`;
}
