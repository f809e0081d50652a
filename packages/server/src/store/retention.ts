/** Sets the store's retention from the plan. */
import { heartbeatOf, PLAN_SOURCES, type Plan, type PlanSourceName } from "@candor/plan";
import type { Store } from "./client.ts";
import { quoteText } from "./sql-text.ts";

/**
 * Makes the store delete what the plan no longer keeps. Retention is counted in whole days: a row expires at
 * the start of the day on which it would become older than its source's `retentionDays`. So it is never kept
 * longer, and a part of the table is rewritten at most once a day. A table that already has the right TTL is
 * left alone, because setting a TTL rewrites the table's parts.
 * @see
 * https://clickhouse.com/docs/engines/table-engines/mergetree-family/mergetree#table_engine-mergetree-ttl
 */
export async function applyRetention(store: Store, plan: Plan): Promise<void> {
  await applyTtl(store, "events", ttlBySource(plan, "toDate(receivedAt)"));
  for (const table of ["usage_instance_days", "usage_durations"])
    await applyTtl(store, table, ttlBySource(plan, "rd"));
  const ofHeartbeats = `rd + toIntervalDay(${daysOfSource(plan, heartbeatOf(plan)?.sources[0] ?? "server")})`;
  for (const table of ["instances", "instance_days"]) await applyTtl(store, table, ofHeartbeats);
  await applyTtl(store, "attempts", `rd + toIntervalDay(${daysOfSource(plan, "installer")})`);
  await applyTtl(store, "contacts", `day + toIntervalDay(${plan.contacts.retentionDays})`);
}

/**
 * Builds one TTL rule for each number of days, because the store distinguishes rules only by that number.
 * @param day the SQL expression for the day on which a row was received
 */
function ttlBySource(plan: Plan, day: string): string {
  return [...new Set(PLAN_SOURCES.map((name) => daysOfSource(plan, name)))]
    .map((days) => {
      const names = PLAN_SOURCES.filter((name) => daysOfSource(plan, name) === days).map(quoteText);
      return `${day} + toIntervalDay(${days}) WHERE source IN (${names.join(", ")})`;
    })
    .join(", ");
}

/** Returns a source's retention. A source that the plan does not name has the longest one of all. */
function daysOfSource({ sources }: Plan, name: PlanSourceName): number {
  const longest = Math.max(...Object.values(sources).map((source) => source?.retentionDays ?? 0));
  return sources[name]?.retentionDays ?? longest;
}

async function applyTtl(store: Store, table: string, ttl: string): Promise<void> {
  const nodes = await store.queryEveryNode(
    `SELECT engine_full AS engine FROM system.tables WHERE database = '${store.databases.local}' AND name = '${table}'`,
  );
  const isApplied = nodes.flat().every(({ engine }) => {
    const [, found = ""] = / TTL (.*?)(?: SETTINGS |$)/.exec(String(engine)) ?? [];
    return bare(found) === bare(ttl);
  });
  if (!isApplied) await store.command(`ALTER TABLE ${table} MODIFY TTL ${ttl}`);
}

/**
 * Reduces a TTL to a form in which it can be compared, because versions of ClickHouse format it differently.
 */
function bare(ttl: string): string {
  return ttl.replace(/\bDELETE\b|[\s()]/g, "");
}
