/** Reads events from the store. */
import { invalidQuery } from "../errors.ts";
import type { RowAbout } from "../row.ts";
import { readSql, type Store, whileStoreAnswers } from "../store/client.ts";
import { encodeCursor, parseCursor } from "./cursor.ts";
import { type Condition, type Filters, toCondition } from "./filters.ts";

const EVENTS_SQL = readSql("query/events.sql");
const COUNT_SQL = readSql("query/count.sql");

export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1000;

/**
 * Reads a page of events, the most recently received first, as JSON text:
 * `{"events":[envelope...],"next":cursor|null}`. Each envelope is the stored text with `candor` added. The
 * text is not parsed, so it cannot change.
 * @throws CandorError `query_invalid` (for the cursor), `store_away`
 */
export async function readEvents(
  store: Store,
  filters: Filters,
  limit: number,
  cursor: string | undefined,
): Promise<string> {
  const condition = withCursor(toCondition(filters), cursor);
  const rows = await ask(store, EVENTS_SQL, condition, { limit: limit + 1 });
  const { events, next } = toPage(rows, limit);
  return `{"events":${events},"next":${next}}`;
}

/**
 * Builds the parts of a page as JSON.
 * @param rows rows with the columns of events.sql; one more than `limit` if more events follow
 */
export function toPage(
  rows: readonly Record<string, unknown>[],
  limit: number,
): { readonly events: string; readonly next: string } {
  const page = rows.slice(0, limit);
  const events = page.map((row) => withCandor(String(row.envelope), aboutOf(row)));
  const last = rows.length > limit ? page.at(-1) : undefined;
  return {
    events: `[${events.join(",")}]`,
    next: last === undefined ? "null" : JSON.stringify(encodeCursor(last)),
  };
}

/** Counts the distinct messageIds that match. @throws CandorError `store_away` */
export async function countEvents(store: Store, filters: Filters): Promise<number> {
  const [row] = await ask(store, COUNT_SQL, toCondition(filters), {});
  return Number(row?.count ?? 0);
}

function ask(
  store: Store,
  sql: string,
  condition: Condition,
  params: Record<string, number>,
): Promise<Record<string, unknown>[]> {
  const query = sql.replace("{filters}", () => condition.sql);
  return whileStoreAnswers(() => store.query(query, { ...condition.params, ...params }));
}

/**
 * What Candor adds to an event. The source is any text, because it is not checked when it is read back from
 * the store.
 */
type CandorAbout = Omit<RowAbout, "source" | "sequence"> & { readonly source: string };

/**
 * Adds `candor: {source, country?, planVersion, sentPlanVersion?, skipped?, trimmed?}`, without fields that
 * are empty or unknown. An envelope always has fields, so a comma comes before `candor`.
 */
export function withCandor(envelope: string, about: CandorAbout): string {
  const { source, country, planVersion, sentPlanVersion, skipped, trimmed } = about;
  const candor = {
    source,
    country: country || undefined,
    planVersion,
    sentPlanVersion: sentPlanVersion || undefined,
    skipped: skipped || undefined,
    trimmed: trimmed.length === 0 ? undefined : trimmed,
  };
  return `${envelope.slice(0, -1)},"candor":${JSON.stringify(candor)}}`;
}

function aboutOf(row: Record<string, unknown>): CandorAbout {
  return {
    source: String(row.source),
    country: String(row.country),
    planVersion: Number(row.planVersion),
    sentPlanVersion: Number(row.sentPlanVersion),
    skipped: Number(row.skipped),
    trimmed: Array.isArray(row.trimmed) ? row.trimmed.map(String) : [],
  };
}

function withCursor(condition: Condition, text: string | undefined): Condition {
  if (text === undefined) return condition;
  const cursor = parseCursor(text);
  if (cursor === undefined) {
    throw invalidQuery("cursor is not one that this server gave. Use the field next of the page before.");
  }
  const { receivedAtMs, sequence, messageId, source } = cursor;
  return {
    sql: `${condition.sql}
  AND receivedAt <= fromUnixTimestamp64Milli({cursorMs:Int64}, 'UTC')
  AND (receivedAt, sequence, messageId, source) < (fromUnixTimestamp64Milli({cursorMs:Int64}, 'UTC'), {cursorSequence:UInt32}, {cursorId:String}, {cursorSource:String})`,
    params: {
      ...condition.params,
      cursorMs: receivedAtMs,
      cursorSequence: sequence,
      cursorId: messageId,
      cursorSource: source,
    },
  };
}
