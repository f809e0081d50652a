/** Reports what a maker asks first: how many instances are active, what they run, and whether installs work. */

import { ask, type ReportDependencies, type ReportHead, readHead } from "./ask.ts";
import { readInstalls } from "./installs-report.ts";
import { type ActiveInstances, asOneDay, readActive } from "./instances-report.ts";
import type { Period } from "./period.ts";
import { readVersions } from "./versions-report.ts";

/** The answer of GET /api/reports/overview. */
export interface OverviewReport extends ReportHead {
  readonly active: ActiveInstances;
  /** As many days before. */
  readonly activeBefore: ActiveInstances;
  readonly activeByDay: readonly { readonly day: string; readonly instances: number }[];
  readonly installs: { readonly installs: number; readonly successShare: number | null };
  /** The newest release, and the share of the period's instances that are on it. */
  readonly newestVersion: { readonly version: string; readonly share: number | null } | null;
}

export async function reportOverview(deps: ReportDependencies, period: Period): Promise<OverviewReport> {
  const head = await readHead(deps, period);
  const active = await readActive(deps, period);
  const activeBefore = await readActive(deps, period.before());
  const days = await ask(deps.store, "active_by_day", period);
  const { installs, outcomes } = await readInstalls(deps, period);
  const versions = await readVersions(deps, period);
  const newest = versions.find(({ isRelease }) => isRelease);
  const succeeded = outcomes.find(({ outcome }) => outcome === "success")?.installs ?? 0;
  const ended = installs - (outcomes.find(({ outcome }) => outcome === "running")?.installs ?? 0);
  return {
    ...head,
    active,
    activeBefore,
    activeByDay: days.map(asOneDay),
    installs: { installs, successShare: ended === 0 ? null : succeeded / ended },
    newestVersion: newest === undefined ? null : { version: newest.version, share: newest.share },
  };
}
