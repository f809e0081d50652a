/** Reports the main figures: how many instances are active, what they run, and whether installs succeed. */

import {
  type ActiveInstances,
  type DayCount,
  type ReportDependencies,
  type ReportHead,
  shareOf,
} from "./ask.ts";
import { readInstalls } from "./installs-report.ts";
import { readActive } from "./instances-report.ts";
import type { Period } from "./period.ts";
import { readReleases } from "./releases.ts";
import { toShares } from "./versions-report.ts";

/** The answer of GET /api/reports/overview. */
export interface OverviewReport extends ReportHead {
  readonly active: ActiveInstances;
  /** The same for as many days directly before the period. */
  readonly activeBefore: ActiveInstances;
  readonly activeByDay: readonly DayCount[];
  readonly installs: { readonly installs: number; readonly successShare: number | null };
  /**
   * The newest release that counted instances run, and the share of the counted instances that run it; null
   * if there is none. Pre-releases are not considered.
   */
  readonly newestVersion: { readonly version: string; readonly share: number | null } | null;
}

export async function reportOverview(deps: ReportDependencies, period: Period): Promise<OverviewReport> {
  const [{ active, ...population }, activeBefore, { installs, outcomes }, releases] = await Promise.all([
    readActive(deps, period),
    readActive(deps, period.before()).then(({ active: before }) => before),
    readInstalls(deps, period),
    readReleases(deps, period),
  ]);
  const newest = toShares(population.versions, releases).find(
    ({ isRelease, isPrerelease }) => isRelease && !isPrerelease,
  );
  const succeeded = outcomes.find(({ outcome }) => outcome === "success")?.installs ?? 0;
  const ended = installs - (outcomes.find(({ outcome }) => outcome === "running")?.installs ?? 0);
  return {
    ...population.head,
    active,
    activeBefore,
    activeByDay: population.byDay,
    installs: { installs, successShare: shareOf(succeeded, ended) },
    newestVersion: newest === undefined ? null : { version: newest.version, share: newest.share },
  };
}
