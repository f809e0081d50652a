/** Reads what the collector stores about an instance, page by page. */
import type { JsonObject } from "@candor/envelope";
import type { Plan } from "@candor/plan";
import type { Log } from "../log/log.ts";
import { type Cursor, parseCursor } from "../query/cursor.ts";
import { toPage } from "../query/events.ts";
import { readSql, type Store, whileStoreAnswers } from "../store/client.ts";
import { isOfInstance } from "../store/instance-rows.ts";
import { invalidField } from "./signed-request.ts";

const SQL = readSql("query/instance_events.sql");
const DEFAULT_LIMIT = 500;
const MAX_LIMIT = 1000;
const BEGINNING: Cursor = { receivedAtMs: 0, sequence: 0, messageId: "", source: "" };

export interface HeldEventsDependencies {
  readonly store: Store;
  readonly log: Pick<Log, "pending">;
  /** Returns the plan in force, which says in which fields an instance's id is. */
  readonly plan: () => Plan;
  readonly now: () => number;
}

/** The page of an instance's events that a `compare` request asks for. */
export interface HeldPage {
  readonly limit: number;
  readonly cursor: Cursor;
}

/**
 * Reads `limit` and `cursor` of a `compare` request.
 * @throws CandorError `instance_request_invalid`
 */
export function readHeldPage({ limit = DEFAULT_LIMIT, cursor }: JsonObject): HeldPage {
  if (typeof limit !== "number" || !Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    throw invalidField("limit");
  if (cursor === undefined || cursor === null) return { limit, cursor: BEGINNING };
  const place = typeof cursor === "string" ? parseCursor(cursor) : undefined;
  if (place === undefined) throw invalidField("cursor");
  return { limit, cursor: place };
}

/**
 * Returns a page of one instance's stored events, in the order in which they were received, as JSON text:
 * `{success, storedUntil, events, next}`. Only rows of this instance are read, whatever the cursor says.
 * Messages acknowledged after `storedUntil` may still be in the log.
 * @throws CandorError `store_away`
 */
export async function readHeldEvents(
  instanceId: string,
  { limit, cursor }: HeldPage,
  { store, log, plan, now }: HeldEventsDependencies,
): Promise<string> {
  const storedUntil = new Date(log.pending().oldestMs ?? now()).toISOString(); // before the rows are read
  const sql = SQL.replace("{ofInstance}", () => isOfInstance(plan(), "({instanceId:String})"));
  const rows = await whileStoreAnswers(() =>
    store.query(sql, {
      instanceId,
      cursorMs: cursor.receivedAtMs,
      cursorSequence: cursor.sequence,
      cursorId: cursor.messageId,
      cursorSource: cursor.source,
      limit: limit + 1,
    }),
  );
  const { events, next } = toPage(rows, limit);
  return `{"success":true,"storedUntil":"${storedUntil}","events":${events},"next":${next}}`;
}
