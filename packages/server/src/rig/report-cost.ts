/** Measures how long reports take, compared with the same questions answered from the events. */
import { readFileSync } from "node:fs";
import { type Latencies, recordLatencies } from "@candor/bench/latencies";
import { loadPlan } from "@candor/plan";
import { reportAnonymity } from "../reports/anonymity-report.ts";
import type { ReportDependencies } from "../reports/ask.ts";
import { reportClient } from "../reports/client-report.ts";
import { reportCohorts } from "../reports/cohorts-report.ts";
import { reportExplore } from "../reports/explore-report.ts";
import { reportFacts } from "../reports/facts-report.ts";
import { reportFeatures } from "../reports/features-report.ts";
import { reportFunnel } from "../reports/funnel-report.ts";
import { reportInstalls } from "../reports/installs-report.ts";
import { listInstances, reportInstances } from "../reports/instances-report.ts";
import { reportOverview } from "../reports/overview-report.ts";
import { type Period, readPeriod } from "../reports/period.ts";
import { reportVersions } from "../reports/versions-report.ts";
import { applyPlanToStore } from "../store/plan-columns.ts";
import { rebuildPending } from "../store/rollups.ts";
import { startStoreForTest } from "./real-store.ts";

/**
 * Has the store generate a year of events: instances send heartbeats and use features, 7 uses per heartbeat, of
 * which every 14th comes from a browser.
 * Prints p50 and p95 of each report and, for some, the p50 of the same question answered from the events.
 *
 *     node packages/server/dist/rig/report-cost.js [events] [instances] [runs]
 */
const [events = 1_000_000, instances = 10_000, runs = 20] = process.argv.slice(2, 5).map(Number);

const BLOCK = 100_000;
const DAYS = 365;
const NOW_MS = Date.parse("2026-11-27T12:00:00.000Z");
const plan = loadPlan(
  readFileSync(new URL("../../../../plans/appsmith.yaml", import.meta.url), "utf8"),
  "appsmith.yaml",
);
const real = await startStoreForTest();
const { store } = real;
const began = performance.now();
for (let from = 0; from < events; from += BLOCK)
  await store.command(fill(from, Math.min(BLOCK, events - from)));
const filledS = secondsSince(began);
const rebuildBegan = performance.now();
await applyPlanToStore(store, plan);
await rebuildPending(store, plan, (task) => task());
const rebuiltS = secondsSince(rebuildBegan);

const deps: ReportDependencies = {
  store,
  plan: { current: () => ({ plan }) },
  storedUntilMs: () => NOW_MS,
};
const OTHERS = ["by", "at_least", "sort", "limit"];
const periodOf = (query: string): Period =>
  readPeriod(new URLSearchParams(query), { plan, nowMs: NOW_MS, others: OTHERS });

const explored = (query: string): URLSearchParams =>
  new URLSearchParams(`event=execute_ACTION_TRIGGERED&${query}`);

/** Each report. For some, `raw` is SQL that answers the same question from the events. */
const QUESTIONS: readonly (readonly [name: string, ask: () => Promise<unknown>, raw?: string])[] = [
  ["overview, 28 days", () => reportOverview(deps, periodOf("")), raw(28, "uniqExact(instance)")],
  [
    "overview, a year",
    () => reportOverview(deps, periodOf("from=2025-12-01")),
    raw(362, "uniqExact(instance)"),
  ],
  [
    "overview, 28 days, Asia/Kathmandu, darwin",
    () => reportOverview(deps, periodOf("zone=Asia/Kathmandu&facts.os=darwin")),
  ],
  ["instances, 28 days", () => reportInstances(deps, periodOf(""))],
  ["instances/list, 28 days", () => listInstances(deps, periodOf(""), new URLSearchParams("limit=50"))],
  ["versions, 28 days", () => reportVersions(deps, periodOf(""))],
  ["facts, 28 days", () => reportFacts(deps, periodOf(""))],
  [
    "features by plugin, 28 days",
    () => reportFeatures(deps, periodOf(""), new URLSearchParams("by=pluginName")),
    raw(
      28,
      "JSONExtractString(envelope, 'properties', 'pluginName') AS p, uniqExact(instance), count()",
      "execute_ACTION_TRIGGERED",
      "GROUP BY p",
    ),
  ],
  ["installs, 28 days", () => reportInstalls(deps, periodOf(""))],
  [
    "client, 28 days",
    () => reportClient(deps, periodOf("")),
    raw(
      28,
      "JSONExtractString(envelope, 'context', 'page', 'path') AS route, uniqExact(instance), count()",
      "EDITOR_PAGE_LOAD",
      "GROUP BY route",
    ),
  ],
  ["client, a year", () => reportClient(deps, periodOf("from=2025-12-01"))],
  ["explore by plugin, 28 days", () => reportExplore(deps, periodOf(""), explored("by=pluginName"))],
  [
    "explore p95 by plugin, version, week, 28 days",
    () =>
      reportExplore(
        deps,
        periodOf(""),
        explored("measure=percentiles&of=timeElapsed&by=pluginName&by=version&by=week"),
      ),
  ],
  [
    "explore by status code (no column), 28 days",
    () => reportExplore(deps, periodOf(""), explored("by=statusCode")),
  ],
  [
    "explore by plugin, a year",
    () => reportExplore(deps, periodOf("from=2025-12-01"), explored("by=pluginName")),
  ],
  [
    "explore/funnel of 2 steps, 28 days",
    () =>
      reportFunnel(
        deps,
        periodOf(""),
        new URLSearchParams("step=Instance Active&step=execute_ACTION_TRIGGERED"),
      ),
  ],
  ["explore/cohorts by week, a year", () => reportCohorts(deps, periodOf("from=2025-12-01"), explored(""))],
  ["anonymity, 28 days", () => reportAnonymity(deps, periodOf(""))],
];

const cells = (latencies: Latencies, shares: readonly number[]): string =>
  latencies
    .percentiles(shares)
    .map((ms) => String(Math.round(ms)).padStart(8))
    .join("");
process.stdout.write(
  `${events.toLocaleString("en")} events, ${instances.toLocaleString("en")} instances: made in ${filledS} s, rollups rebuilt in ${rebuiltS} s\n` +
    `${"report".padEnd(48)}${"p50 ms".padStart(8)}${"p95 ms".padStart(8)}${"of events".padStart(12)}\n`,
);
for (const [name, ask, sql] of QUESTIONS) {
  const ofReport = cells(await measure(ask, runs), [0.5, 0.95]);
  const ofEvents = sql === undefined ? "" : cells(await measure(() => store.query(sql), 3), [0.5]);
  process.stdout.write(`${name.padEnd(48)}${ofReport}${ofEvents.padStart(12)}\n`);
}
const [size] = await store.query(
  "SELECT formatReadableSize(sumIf(bytes_on_disk, table = 'events')) AS events, formatReadableSize(sumIf(bytes_on_disk, table != 'events')) AS rollups FROM system.parts WHERE active AND database = 'candor'",
);
process.stdout.write(`on disk: events ${size?.events}, rollups ${size?.rollups}\n`);
await real.close();

async function measure(ask: () => Promise<unknown>, count: number): Promise<Latencies> {
  const latencies = recordLatencies(count);
  for (let n = 0; n < count; n++) {
    const start = performance.now();
    await ask();
    latencies.record(performance.now() - start);
  }
  return latencies;
}

function secondsSince(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(0);
}

/** Returns SQL that answers a question from the events received in the last `days` days. */
function raw(days: number, what: string, event = "Instance Active", end = ""): string {
  return `SELECT ${what} FROM events WHERE event = '${event}' AND receivedAt >= toDateTime64('2026-11-28', 3, 'UTC') - INTERVAL ${days} DAY ${end}`;
}

/**
 * Returns SQL that inserts a block of events in the order in which they were received. One in 8 is a
 * heartbeat, one in 16 is from a browser, 8 in a row from the same one, and one in 2,000 is from an installer.
 */
function fill(from: number, count: number): string {
  const seconds = (DAYS * 86_400) / events;
  return `INSERT INTO events (source, type, event, messageId, anonymousId, timestamp, receivedAt, sequence, country, planVersion, envelope)
SELECT multiIf(isInstall, 'installer', isClient, 'client', 'server'), 'track',
  multiIf(isInstall, ['Installation Started', 'Installation Success', 'Installation Errors'][1 + n % 3], isBeat, 'Instance Active',
    isClient, ['EDITOR_PAGE_LOAD', 'APPLICATIONS_PAGE_LOAD', 'RUN_QUERY_CLICK'][1 + h % 3], 'execute_ACTION_TRIGGERED'),
  toString(n), multiIf(isInstall, hex(cityHash64(intDiv(n, 6000))), isClient, hex(cityHash64(intDiv(n, 128) % 5, i)), id), at, at, 0, ['DE', 'IN', 'US', ''][1 + i % 4], 3,
  multiIf(isInstall, '{"properties":{"os":"ubuntu","version":"1.9.2","error":"port_taken"}}',
    isClient, concat('{"type":"track","context":{"locale":"', ['en-US', 'de-DE', 'hi-IN'][1 + i % 3], '","page":{"path":"', ['/app/:app/:page/edit', '/applications', '/app/:app/:page/edit'][1 + h % 3],
      '","title":"Editor | Appsmith"},"userAgent":"', ['Chrome on macOS', 'Firefox on Linux'][1 + i % 2], '"},"properties":{"instanceId":"', id, '","version":"1.9.2"}}'),
    concat('{"type":"track","userId":"', hex(cityHash64(n)), '","properties":{"instanceId":"', id, '","version":"1.', toString(least(intDiv(n * 12, ${events}) + i % 4, 14)), '.0"',
    if(isBeat, concat(',"os":"', ['linux', 'darwin', 'win32'][1 + i % 3], '","arch":"', ['x64', 'arm64'][1 + i % 2], '","edition":"community","runtime":"node-26","environment":"', if(i % 10 = 0, 'development', 'production'), '"'),
    concat(',"pluginName":"Plugin ', toString(h % 20), '","type":"DB","appMode":"', if(h % 3 = 0, 'edit', 'view'), '","statusCode":"200","isSuccessfulExecution":', if(h % 17 = 0, 'false', 'true'), ',"timeElapsed":', toString(toUInt32(exp2((h % 1600) / 100))), ',"appName":"App","pageName":"Page1","originService":"appsmith-server"')), '}}'))
FROM (
  SELECT number + ${from} AS n, cityHash64(n) AS h, n % 8 = 0 AS isBeat, n % 2000 = 7 AS isInstall, n % 16 = 3 AS isClient,
    cityHash64(if(isClient, cityHash64(intDiv(n, 128)), h), 1) % ${instances} AS i,
    concat(lower(hex(toUInt32(i))), '-0000-4000-8000-', leftPad(lower(hex(i)), 12, '0')) AS id,
    toDateTime64('2026-11-27 12:00:00', 3, 'UTC') - toIntervalSecond(toInt64(${DAYS * 86_400} - n * ${seconds})) AS at
  FROM numbers(${count}))`;
}
