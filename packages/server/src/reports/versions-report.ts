/**
 * Reports the versions that instances run: adoption, upgrades, and whether a release fails more often than
 * the one before.
 */
import semver from "semver";
import { ask, type ReportDependencies, type ReportHead, type Row, readPopulation, shareOf } from "./ask.ts";
import { nameOf, type Period } from "./period.ts";
import { type Releases, readReleases } from "./releases.ts";

/** The answer of GET /api/reports/versions. */
export interface VersionsReport extends ReportHead {
  /** Newest first by semver, then texts that are not semver versions, then `unknown`. */
  readonly versions: readonly VersionShare[];
  /** Instances by week. An instance counts once per week, under the version that it ran last in that week. */
  readonly byWeek: readonly { readonly week: string; readonly version: string; readonly instances: number }[];
  /**
   * How long instances that existed before the newest release (except pre-releases) took to upgrade; null if
   * no counted instance runs such a release.
   */
  readonly upgrade: UpgradeLag | null;
  /**
   * The newest two releases (except pre-releases) that counted instances run, compared; null if one of them
   * does not exist or has no uses with an outcome.
   */
  readonly regression: Regression | null;
}

export interface VersionShare {
  readonly version: string;
  readonly instances: number;
  readonly share: number | null;
  /** The share of instances on this version or a newer one; null for a text that is not a semver version. */
  readonly atLeastShare: number | null;
  readonly isPrerelease: boolean;
  /** Whether the version is a release (see releases.ts). */
  readonly isRelease: boolean;
  /** When it was released, RFC 3339; null if it is no release. */
  readonly releasedAt: string | null;
}

export interface UpgradeLag {
  readonly version: string;
  readonly upgraded: number;
  readonly notUpgraded: number;
  /** Median time from the release to the upgrade, of the instances that upgraded; null if there are none. */
  readonly medianMs: number | null;
  /** The 90th percentile of the same times. */
  readonly p90Ms: number | null;
}

export interface Regression {
  readonly release: FailureShare;
  readonly before: FailureShare;
  /** True if the release fails more often, and the 95 % intervals do not overlap. */
  readonly isWorse: boolean;
}

export interface FailureShare {
  readonly version: string;
  /** Number of uses with an outcome. */
  readonly uses: number;
  readonly failedShare: number;
  /** The 95 % interval of the share (Wilson). */
  readonly interval: readonly [number, number];
}

export async function reportVersions(deps: ReportDependencies, period: Period): Promise<VersionsReport> {
  const [{ head, versions: counts }, releases, weeks, successes] = await Promise.all([
    readPopulation(deps, period),
    readReleases(deps, period),
    ask(deps.store, "versions_by_week", period),
    ask(deps.store, "success_by_version", period),
  ]);
  const versions = toShares(counts, releases);
  const [newest, previous] = versions.filter(({ isRelease, isPrerelease }) => isRelease && !isPrerelease);
  const upgrade = newest === undefined ? null : await readUpgradeLag(deps, period, newest, versions);
  return {
    ...head,
    versions,
    byWeek: weeks.map(({ week, version, instances }) => ({
      week: String(week),
      version: nameOf(version),
      instances: Number(instances),
    })),
    upgrade,
    regression: toRegression(successes, newest, previous),
  };
}

/** Sorts versions newest first, and computes the share of each. */
export function toShares(instancesOf: ReadonlyMap<string, number>, releases: Releases): VersionShare[] {
  const counts = [...instancesOf]
    .map(([version, instances]) => ({ version, instances }))
    .sort((a, b) => newestFirst(a.version, b.version));
  const total = counts.reduce((sum, { instances }) => sum + instances, 0);
  let atLeast = 0;
  return counts.map(({ version, instances }) => {
    const release = releases.get(version);
    const isVersion = semver.valid(version) !== null;
    atLeast += instances;
    return {
      version: nameOf(version),
      instances,
      share: shareOf(instances, total),
      atLeastShare: isVersion ? shareOf(atLeast, total) : null,
      isPrerelease: semver.prerelease(version) !== null,
      isRelease: release?.isRelease ?? false,
      releasedAt: release?.releasedAt ?? null,
    };
  });
}

/** Sorts semver versions newest first, then other texts, then the empty text. */
function newestFirst(a: string, b: string): number {
  const rankOf = (text: string): number => (semver.valid(text) !== null ? 0 : text === "" ? 2 : 1);
  if (rankOf(a) !== rankOf(b)) return rankOf(a) - rankOf(b);
  if (rankOf(a) > 0) return a < b ? -1 : Number(a > b);
  return semver.rcompare(a, b) || (a < b ? -1 : Number(a > b));
}

async function readUpgradeLag(
  { store }: ReportDependencies,
  period: Period,
  { version, releasedAt }: VersionShare,
  versions: readonly VersionShare[],
): Promise<UpgradeLag> {
  const newer = versions.slice(0, 1 + versions.findIndex((one) => one.version === version));
  const [row = {}] = await ask(store, "upgrade_lag", period, {
    versions: newer.map((one) => one.version),
    releasedMs: Date.parse(releasedAt ?? ""),
  });
  const upgraded = Number(row.upgraded);
  return {
    version,
    upgraded,
    notUpgraded: Number(row.notUpgraded),
    medianMs: upgraded === 0 ? null : Number(row.medianMs),
    p90Ms: upgraded === 0 ? null : Number(row.p90Ms),
  };
}

function toRegression(
  rows: readonly Row[],
  newest: VersionShare | undefined,
  previous: VersionShare | undefined,
): Regression | null {
  const shareFor = (version: string | undefined): FailureShare | undefined => {
    const row = rows.find((one) => one.version === version);
    return row === undefined
      ? undefined
      : toFailureShare(String(row.version), Number(row.failed), Number(row.failed) + Number(row.succeeded));
  };
  const [release, before] = [shareFor(newest?.version), shareFor(previous?.version)];
  if (release === undefined || before === undefined) return null;
  return { release, before, isWorse: release.interval[0] > before.interval[1] };
}

const Z_95 = 1.959964;

/**
 * Returns the share of failed uses with its 95 % interval.
 * @see https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval#Wilson_score_interval
 */
function toFailureShare(version: string, failed: number, uses: number): FailureShare {
  const share = failed / uses;
  const square = (Z_95 * Z_95) / uses;
  const middle = (share + square / 2) / (1 + square);
  const half = (Z_95 * Math.sqrt((share * (1 - share)) / uses + square / (4 * uses))) / (1 + square);
  return { version, uses, failedShare: share, interval: [middle - half, middle + half] };
}
