/** Owns the rollups: tables that views fill from `events`, and that can be rebuilt from `events`. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { heartbeatOf, type Plan, usageEventsOf } from "@candor/plan";
import { readSql, type Store } from "./client.ts";
import { type DerivedColumn, derivedColumns, isEvent } from "./derived-columns.ts";
import { quoteText } from "./sql-text.ts";

/** The tables, each with a SELECT of the same name in `sql/rollups/`. */
export const ROLLUPS = [
  "instances",
  "instance_days",
  "usage_instance_days",
  "usage_durations",
  "attempts",
] as const;

const ROWS_AT_ONCE = 2_000_000;
/** The columns of `events` that the rollups read. */
const COLUMNS =
  "source, type, event, anonymousId, timestamp, receivedAt, country, instance, iid, facts, dimensions, outcome, durationMs, installId";
const LOOK_EVERY_MS = 200;

type Rollup = (typeof ROLLUPS)[number];

const SELECTS = new Map(ROLLUPS.map((rollup) => [rollup, readSql(`rollups/${rollup}.sql`).trim()]));

/**
 * Makes the views select what the plan marks. If a view has to change, the existing rows of the rollups were
 * counted for another plan, so all months are noted for a rebuild (`rebuildPending`).
 * @throws the client's errors while the store is unreachable
 */
export async function applyRollups(store: Store, plan: Plan): Promise<void> {
  const columns = derivedColumns(plan);
  const nodes = await store.queryEveryNode(
    `SELECT name, comment FROM system.tables WHERE database = '${store.databases.local}' AND engine = 'MaterializedView'`,
  );
  const isInPlace = ({ name, hash }: View): boolean =>
    nodes.every((found) => found.some((view) => view.name === name && view.comment === hash));
  const outdated = ROLLUPS.map((rollup) => toView(rollup, plan, columns)).filter((view) => !isInPlace(view));
  if (outdated.length === 0) return;
  // Noted before the views change in case of a crash, and again afterwards in case a rebuild ran meanwhile.
  const noteAll = async (): Promise<void> =>
    askForRebuild(store, await monthsWithRows(store), { withColumns: true });
  await noteAll();
  for (const { name, rollup, select, hash } of outdated) {
    await store.command(`CREATE MATERIALIZED VIEW IF NOT EXISTS ${name} TO ${rollup} AS ${select}`);
    await store.command(`ALTER TABLE ${name} MODIFY QUERY ${select}`);
    await store.command(`ALTER TABLE ${name} MODIFY COMMENT ${quoteText(hash)}`);
  }
  await noteAll();
}

interface View {
  readonly name: string;
  readonly rollup: Rollup;
  readonly select: string;
  /**
   * Hash of the SELECT and of the expressions of the derived columns, whose names are the same in every plan.
   * Stored as the view's comment.
   */
  readonly hash: string;
}

function toView(rollup: Rollup, plan: Plan, columns: readonly DerivedColumn[]): View {
  const select = selectOf(rollup, plan, "events");
  const hash = createHash("sha256")
    .update(JSON.stringify([select, columns]))
    .digest("hex");
  return { name: `view_${rollup}`, rollup, select, hash };
}

function selectOf(rollup: Rollup, plan: Plan, events: string): string {
  return fillIn(plan, events, SELECTS.get(rollup) ?? "");
}

/** Fills in the conditions for heartbeats and usage events, and the table to read. */
function fillIn(plan: Plan, events: string, sql: string): string {
  const heartbeat = heartbeatOf(plan);
  const usage = usageEventsOf(plan);
  const parts: Readonly<Record<string, string>> = {
    events,
    isHeartbeat: heartbeat === undefined ? "false" : isEvent(heartbeat),
    isUsage: usage.length === 0 ? "false" : `source != 'installer' AND (${usage.map(isEvent).join(" OR ")})`,
  };
  return sql.replace(/\{(\w+)\}/g, (slot, name: string) => parts[name] ?? slot);
}

/**
 * Notes that months have to be rebuilt. The notes survive a crash.
 * @param withColumns whether the derived columns of `events` have to be computed again first
 */
export async function askForRebuild(
  store: Store,
  months: readonly number[],
  { withColumns = false } = {},
): Promise<void> {
  if (months.length === 0) return;
  const known = new Map((await readRebuilds(store)).map(({ month, asked }) => [month, asked]));
  const rows = months.map((month) => {
    const asked = 1 + (known.get(month) ?? 0);
    return { month, asked, columnsAsked: withColumns ? asked : 0, done: 0 };
  });
  await store.insertRows("rebuilds", rows);
}

interface Rebuild {
  readonly month: number;
  readonly asked: number;
  readonly columnsAsked: number;
  readonly done: number;
}

async function readRebuilds(store: Store): Promise<Rebuild[]> {
  const rows = await store.query(
    "SELECT month, max(asked) AS askedMost, max(columnsAsked) AS columnsMost, max(done) AS doneMost FROM rebuilds GROUP BY month ORDER BY month",
  );
  return rows.map(({ month, askedMost, columnsMost, doneMost }) => ({
    month: Number(month),
    asked: Number(askedMost),
    columnsAsked: Number(columnsMost),
    done: Number(doneMost),
  }));
}

/** Returns the months, such as 202611, in which events or rollups have rows. */
export async function monthsWithRows(store: Store): Promise<number[]> {
  const tables = ["events", ...ROLLUPS].map(quoteText).join(", ");
  const nodes = await store.queryEveryNode(
    `SELECT DISTINCT toUInt32(partition) AS month FROM system.parts WHERE database = '${store.databases.local}' AND active AND table IN (${tables})`,
  );
  return [...new Set(nodes.flat().map(({ month }) => Number(month)))].sort((a, b) => a - b);
}

/**
 * Rebuilds the noted months. A month of a table is exchanged atomically, so a report reads either the old
 * rows or the new ones.
 * @param alone runs a task while nothing is inserted into `events`
 * @throws the client's errors while the store is unreachable; the remaining months then stay noted
 */
export async function rebuildPending(
  store: Store,
  plan: Plan,
  alone: (task: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const due = (await readRebuilds(store)).filter(({ asked, done }) => asked > done);
  if (due.some(({ columnsAsked, done }) => columnsAsked > done)) await computeColumns(store, plan);
  for (const { month, asked } of due) {
    await alone(() => rebuildMonth(store, plan, month));
    await store.insertRows("rebuilds", [{ month, asked: 0, columnsAsked: 0, done: asked }]);
  }
}

async function rebuildMonth(store: Store, plan: Plan, month: number): Promise<void> {
  for (const rollup of ROLLUPS) {
    await store.command(`DROP TABLE IF EXISTS ${fresh(rollup)} SYNC`);
    await store.command(`CREATE TABLE ${fresh(rollup)} AS ${rollup}`);
  }
  for (const { from, to } of await spansOf(store, month)) {
    const [first, end] = [from, to].map((time) => `toDateTime64('${time}', 3, 'UTC')`);
    const events = `(SELECT ${COLUMNS} FROM events WHERE receivedAt >= ${first} AND receivedAt < ${end})`;
    for (const rollup of ROLLUPS)
      await store.command(
        `INSERT INTO ${fresh(rollup)} ${selectOf(rollup, plan, events)} SETTINGS insert_deduplicate = 0`,
      );
  }
  for (const rollup of ROLLUPS) {
    // If no row is left, the month has to become empty too, which this setting allows.
    await store.command(
      `ALTER TABLE ${rollup} REPLACE PARTITION ID '${month}' FROM ${fresh(rollup)} SETTINGS allow_replace_partition_from_empty_source = 1`,
    );
    await store.command(`DROP TABLE ${fresh(rollup)} SYNC`);
  }
}

const fresh = (table: string): string => `fresh_${table}`;

/**
 * Computes the derived columns again, because their values were computed for the plan that was in force when
 * the event was received.
 */
async function computeColumns(store: Store, plan: Plan): Promise<void> {
  const actions = derivedColumns(plan).map(({ name }) => `MATERIALIZE COLUMN ${name}`);
  await store.command(`ALTER TABLE events ${actions.join(", ")} SETTINGS mutations_sync = 0`);
  for (;;) {
    const nodes = await store.queryEveryNode(
      `SELECT latest_fail_reason AS fault FROM system.mutations WHERE database = '${store.databases.local}' AND table = 'events' AND NOT is_done AND startsWith(command, '(MATERIALIZE COLUMN')`,
    );
    if (nodes.flat().length === 0) return;
    const failed = nodes.flat().find(({ fault }) => fault !== "");
    if (failed !== undefined) throw new Error(`columns cannot be computed: ${failed.fault}`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** A range of `receivedAt`, in UTC; `to` is exclusive. */
interface Span {
  readonly from: string;
  readonly to: string;
}

/**
 * Divides a month into spans of whole hours with at most `ROWS_AT_ONCE` rows each (unless one hour has more),
 * because a statement over too many rows could take longer than a request may.
 */
async function spansOf(store: Store, month: number): Promise<Span[]> {
  const hours = await store.query(
    "SELECT toString(toStartOfHour(receivedAt)) AS hour, toString(toStartOfHour(receivedAt) + INTERVAL 1 HOUR) AS next, count() AS rows FROM events WHERE toYYYYMM(receivedAt) = {month:UInt32} GROUP BY hour, next ORDER BY hour",
    { month },
  );
  const spans: { from: string; to: string; rows: number }[] = [];
  for (const { hour, next, rows } of hours) {
    const last = spans.at(-1);
    if (last === undefined || last.rows + Number(rows) > ROWS_AT_ONCE)
      spans.push({ from: String(hour), to: String(next), rows: Number(rows) });
    else {
      last.to = String(next);
      last.rows += Number(rows);
    }
  }
  return spans;
}

/**
 * A month for which the number of events that a rollup has counted differs from the number of stored events.
 */
export interface RollupDifference {
  /** Such as 202611. */
  readonly month: number;
  readonly rollup: string;
  readonly events: number;
  readonly counted: number;
}

/**
 * Compares the counts of the rollups with the events, by the month in which the events were received. Nothing
 * may be inserted meanwhile, because it might be in only one of the two counts.
 */
export async function compareWithEvents(store: Store, plan: Plan): Promise<RollupDifference[]> {
  const differences: RollupDifference[] = [];
  for (const { rollup, where, counted } of COUNTED) {
    const sides = [
      `SELECT toYYYYMM(receivedAt) AS month, count() AS total FROM events WHERE ${fillIn(plan, "events", where)} GROUP BY month`,
      `SELECT toYYYYMM(rd) AS month, sum(${counted}) AS total FROM ${rollup} GROUP BY month`,
    ];
    const [events = [], rows = []] = await Promise.all(sides.map((sql) => store.query(sql)));
    const toMap = (of: readonly Record<string, unknown>[]): Map<number, number> =>
      new Map(of.map(({ month, total }) => [Number(month), Number(total)]));
    const [expected, found] = [toMap(events), toMap(rows)];
    for (const month of [...new Set([...expected.keys(), ...found.keys()])].sort((a, b) => a - b)) {
      const difference = { month, rollup, events: expected.get(month) ?? 0, counted: found.get(month) ?? 0 };
      if (difference.events !== difference.counted) differences.push(difference);
    }
  }
  return differences;
}

/** The rollups whose counts can be compared, and which events each one counts. */
const COUNTED = [
  { rollup: "instance_days", where: "{isHeartbeat} AND iid != 0", counted: "heartbeats" },
  { rollup: "usage_instance_days", where: "{isUsage}", counted: "count" },
  { rollup: "usage_durations", where: "{isUsage} AND durationMs IS NOT NULL", counted: "count" },
  { rollup: "attempts", where: "source = 'installer' AND anonymousId != ''", counted: "count" },
] as const;
