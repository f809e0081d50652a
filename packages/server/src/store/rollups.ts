/** Owns the rollups: tables that views fill from `events`, and that can be made anew from `events`. */
import { createHash } from "node:crypto";
import { heartbeatOf, type Plan, usageEventsOf } from "@candor/plan";
import { DATABASE, readSql, type Store } from "./client.ts";
import { derivedColumns, isEvent } from "./derived-columns.ts";
import { quoteText } from "./sql-text.ts";

/** The tables, each with a SELECT of the same name in `sql/rollups/`. */
export const ROLLUPS = [
  "instances",
  "instance_days",
  "usage_instance_days",
  "usage_slots",
  "usage_durations",
  "attempts",
] as const;

const ROWS_AT_ONCE = 2_000_000;

type Rollup = (typeof ROLLUPS)[number];

const SELECTS = new Map(ROLLUPS.map((rollup) => [rollup, readSql(`rollups/${rollup}.sql`).trim()]));

/**
 * Makes the views select what the plan marks. If a view had to change, the rows of before it are of another
 * plan, and all months are to be rebuilt (`rebuildPending`).
 * @throws the client's errors while the store is unreachable
 */
export async function applyRollups(store: Store, plan: Plan): Promise<void> {
  let hasChanged = false;
  for (const rollup of ROLLUPS) hasChanged = (await applyView(store, rollup, plan)) || hasChanged;
  if (hasChanged) await askForRebuild(store, await monthsWithRows(store));
}

/** @returns true if the view existed and selected something else, or if there was none */
async function applyView(store: Store, rollup: Rollup, plan: Plan): Promise<boolean> {
  const view = `view_${rollup}`;
  const select = selectOf(rollup, plan, "events");
  // The columns that the view reads have the same names in every plan, so the hash is of what they compute.
  const hash = createHash("sha256")
    .update(selectOf(rollup, plan, eventsWithColumns(plan, "")))
    .digest("hex");
  const nodes = await store.queryEveryNode(
    `SELECT comment FROM system.tables WHERE database = '${DATABASE}' AND name = '${view}'`,
  );
  if (nodes.every(([found]) => found?.comment === hash)) return false;
  await store.command(`CREATE MATERIALIZED VIEW IF NOT EXISTS ${view} TO ${rollup} AS ${select}`);
  await store.command(`ALTER TABLE ${view} MODIFY QUERY ${select}`);
  await store.command(`ALTER TABLE ${view} MODIFY COMMENT ${quoteText(hash)}`);
  return true;
}

function selectOf(rollup: Rollup, plan: Plan, events: string): string {
  const heartbeat = heartbeatOf(plan);
  const usage = usageEventsOf(plan).filter(({ sources }) => sources.some((source) => source !== "installer"));
  const parts: Readonly<Record<string, string>> = {
    events,
    isHeartbeat: heartbeat === undefined ? "false" : isEvent(heartbeat),
    isUsage: usage.length === 0 ? "false" : `source != 'installer' AND (${usage.map(isEvent).join(" OR ")})`,
  };
  return (SELECTS.get(rollup) ?? "").replace(/\{(\w+)\}/g, (slot, name: string) => parts[name] ?? slot);
}

/**
 * Returns `events` with its derived columns computed for this plan. The stored ones may be of the plan under
 * which a row came.
 */
function eventsWithColumns(plan: Plan, where: string): string {
  const derived = derivedColumns(plan).map(
    ({ name, type, expression }) => `CAST(${expression}, '${type}') AS ${name}`,
  );
  return `(SELECT source, type, event, anonymousId, timestamp, receivedAt, country, ${derived.join(", ")} FROM events ${where})`;
}

/** Notes that months have to be made anew. After a crash they still are. */
export async function askForRebuild(store: Store, months: readonly number[]): Promise<void> {
  if (months.length === 0) return;
  const known = new Map((await readRebuilds(store)).map(({ month, asked }) => [month, asked]));
  await store.insertRows(
    "rebuilds",
    months.map((month) => ({ month, asked: 1 + (known.get(month) ?? 0), done: 0 })),
  );
}

async function readRebuilds(store: Store): Promise<{ month: number; asked: number; done: number }[]> {
  const rows = await store.query(
    "SELECT month, max(asked) AS askedMost, max(done) AS doneMost FROM rebuilds GROUP BY month ORDER BY month",
  );
  return rows.map(({ month, askedMost, doneMost }) => ({
    month: Number(month),
    asked: Number(askedMost),
    done: Number(doneMost),
  }));
}

/** Returns the months, such as 202611, in which events or rollups have rows. */
export async function monthsWithRows(store: Store): Promise<number[]> {
  const tables = ["events", ...ROLLUPS].map(quoteText).join(", ");
  const nodes = await store.queryEveryNode(
    `SELECT DISTINCT toUInt32(partition) AS month FROM system.parts WHERE database = '${DATABASE}' AND active AND table IN (${tables})`,
  );
  return [...new Set(nodes.flat().map(({ month }) => Number(month)))].sort((a, b) => a - b);
}

/**
 * Makes all months anew for which that was asked. Each table's month is exchanged at once, so that reports
 * read either the old rows or the new ones.
 * @param alone runs a task while nothing is inserted into `events`
 * @throws the client's errors while the store is unreachable; then the rest is still asked for
 */
export async function rebuildPending(
  store: Store,
  plan: Plan,
  alone: (task: () => Promise<void>) => Promise<void>,
): Promise<void> {
  for (const { month, asked, done } of await readRebuilds(store)) {
    if (asked <= done) continue;
    await alone(async () => {
      const spans = await spansOf(store, month);
      for (const rollup of ROLLUPS) await rebuildTable(store, plan, rollup, month, spans);
    });
    await store.insertRows("rebuilds", [{ month, asked: 0, done: asked }]);
  }
}

async function rebuildTable(
  store: Store,
  plan: Plan,
  rollup: Rollup,
  month: number,
  spans: readonly Span[],
): Promise<void> {
  const fresh = `fresh_${rollup}`;
  await store.command(`DROP TABLE IF EXISTS ${fresh} SYNC`);
  await store.command(`CREATE TABLE ${fresh} AS ${rollup}`);
  for (const { from, to } of spans) {
    const ofSpan = `WHERE receivedAt >= toDateTime64('${from}', 3, 'UTC') AND receivedAt < toDateTime64('${to}', 3, 'UTC') + INTERVAL 1 DAY`;
    await store.command(
      `INSERT INTO ${fresh} ${selectOf(rollup, plan, eventsWithColumns(plan, ofSpan))} SETTINGS insert_deduplicate = 0`,
    );
  }
  // Where no row is left, the month is to be empty too.
  await store.command(
    `ALTER TABLE ${rollup} REPLACE PARTITION ID '${month}' FROM ${fresh} SETTINGS allow_replace_partition_from_empty_source = 1`,
  );
  await store.command(`DROP TABLE ${fresh} SYNC`);
}

/** Days, `YYYY-MM-DD`, both inclusive. */
interface Span {
  readonly from: string;
  readonly to: string;
}

/** Divides a month into spans of days, because a statement over too many rows could outlast a request. */
async function spansOf(store: Store, month: number): Promise<Span[]> {
  const days = await store.query(
    "SELECT toDate(receivedAt) AS day, count() AS rows FROM events WHERE toYYYYMM(receivedAt) = {month:UInt32} GROUP BY day ORDER BY day",
    { month },
  );
  const spans: { from: string; to: string; rows: number }[] = [];
  for (const { day, rows } of days) {
    const last = spans.at(-1);
    if (last === undefined || last.rows + Number(rows) > ROWS_AT_ONCE)
      spans.push({ from: String(day), to: String(day), rows: Number(rows) });
    else {
      last.to = String(day);
      last.rows += Number(rows);
    }
  }
  return spans;
}
