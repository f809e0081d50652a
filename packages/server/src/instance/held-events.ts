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

/** What one product holds. */
export interface HoldingProduct {
  readonly store: Store;
  readonly log: Pick<Log, "pending">;
  /** Returns the plan in force, which says in which fields an instance's id is. */
  readonly plan: () => Plan;
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
 * `{success, storedUntil, events, next}`. Only rows of this instance are read, whatever the cursor says. An instance
 * is one product's, so the events are those of the first product that has any. Messages acknowledged after
 * `storedUntil` may still be in the log.
 * @throws CandorError `store_away`
 */
export async function readHeldEvents(
  instanceId: string,
  page: HeldPage,
  { products, now }: { readonly products: readonly HoldingProduct[]; readonly now: () => number },
): Promise<string> {
  const nowMs = now();
  const oldestMs = Math.min(...products.map(({ log }) => log.pending().oldestMs ?? nowMs)); // before rows are read
  let rows: Record<string, unknown>[] = [];
  for (const product of products) {
    rows = await whileStoreAnswers(() => readRows(instanceId, page, product));
    if (rows.length > 0) break;
  }
  const { events, next } = toPage(rows, page.limit);
  return `{"success":true,"storedUntil":"${new Date(oldestMs).toISOString()}","events":${events},"next":${next}}`;
}

function readRows(
  instanceId: string,
  { limit, cursor }: HeldPage,
  { store, plan }: HoldingProduct,
): Promise<Record<string, unknown>[]> {
  const sql = SQL.replace("{ofInstance}", () => isOfInstance(plan(), "({instanceId:String})"));
  return store.query(sql, {
    instanceId,
    cursorMs: cursor.receivedAtMs,
    cursorSequence: cursor.sequence,
    cursorId: cursor.messageId,
    cursorSource: cursor.source,
    limit: limit + 1,
  });
}
