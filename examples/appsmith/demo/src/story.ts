/** Defines the demo's story: the tables from which it is made, and its types. */

export const HOUR_MS = 60 * 60_000;
export const DAY_MS = 24 * HOUR_MS;
export const WEEK_MS = 7 * DAY_MS;

/** `at`: when the release comes out, as a share of the story from 0 to 1; negative if before the story. */
export const RELEASES = [
  { version: "1.8.0", at: -0.2 },
  { version: "1.8.1", at: 0.03 },
  { version: "1.9.0", at: 0.15 },
  { version: "1.9.1", at: 0.24 },
  { version: "1.9.2", at: 0.33 },
  { version: "1.10.0", at: 0.46 },
  { version: "1.11.0-rc.1", at: 0.56, isPre: true },
  { version: "1.11.0", at: 0.62, fault: { plugin: "MongoDB", failureShare: 0.19, slowdown: 2.4 } },
  { version: "1.11.1", at: 0.7 },
  { version: "1.12.0", at: 0.87 },
] as const satisfies readonly ReleaseRow[];

export interface ReleaseRow {
  readonly version: string;
  readonly at: number;
  readonly isPre?: true;
  /** What this release breaks. The next release repairs it. */
  readonly fault?: { readonly plugin: string; readonly failureShare: number; readonly slowdown: number };
}

/** How long people wait before they upgrade: half of them upgrade within `medianDays` of a release. */
export const UPGRADE_HABITS = [
  { habit: "eager", weight: 30, medianDays: 2 },
  { habit: "steady", weight: 35, medianDays: 12 },
  { habit: "slow", weight: 20, medianDays: 45 },
  { habit: "never", weight: 15, medianDays: Number.POSITIVE_INFINITY },
] as const;

export const SYSTEMS = [
  { os: "ubuntu", weight: 52 },
  { os: "debian", weight: 18 },
  { os: "centos", weight: 8 },
  { os: "rhel", weight: 6 },
  { os: "fedora", weight: 5 },
  { os: "amzn", weight: 5 },
  { os: "rocky", weight: 4 },
  { os: "almalinux", weight: 2 },
] as const;

export const INSTALL_FAULTS = [
  { error: "port_taken", weight: 30 },
  { error: "docker_missing", weight: 22 },
  { error: "docker_not_running", weight: 14 },
  { error: "containers_not_started", weight: 12 },
  { error: "compose_missing", weight: 8 },
  { error: "os_not_supported", weight: 6 },
  { error: "interrupted", weight: 5 },
  { error: "unknown", weight: 3 },
] as const;

/** `failureShare` and `medianMs` apply to actions of the plugin, except under a release that breaks it. */
export const PLUGINS = [
  { plugin: "PostgreSQL", type: "DB", weight: 40, failureShare: 0.03, medianMs: 9, failedAs: "42P01" },
  { plugin: "REST API", type: "API", weight: 30, failureShare: 0.06, medianMs: 180, failedAs: "502" },
  { plugin: "MongoDB", type: "DB", weight: 22, failureShare: 0.02, medianMs: 14, failedAs: "" },
  { plugin: "MySQL", type: "DB", weight: 12, failureShare: 0.03, medianMs: 8, failedAs: "42S02" },
  { plugin: "GraphQL", type: "API", weight: 6, failureShare: 0.05, medianMs: 140, failedAs: "400" },
  { plugin: "Google Sheets", type: "SAAS", weight: 5, failureShare: 0.08, medianMs: 620, failedAs: "429" },
  { plugin: "JavaScript", type: "JS", weight: 5, failureShare: 0.01, medianMs: 3, failedAs: "" },
] as const;

/** What an instance is used for. `days`: the smallest and the greatest number of days that it runs. */
export const ROLES = [
  { role: "server", weight: 68, environment: "production", days: [21, 900], actionsPerDay: 2.5 },
  { role: "trial", weight: 12, environment: "production", days: [0.2, 1], actionsPerDay: 12 },
  { role: "development", weight: 12, environment: "development", days: [14, 200], actionsPerDay: 2 },
  { role: "ci", weight: 5, environment: "ci", days: [0.3, 3], actionsPerDay: 20 },
  { role: "test", weight: 3, environment: "test", days: [10, 200], actionsPerDay: 4 },
] as const;

export type Environment = (typeof ROLES)[number]["environment"];
export type Plugin = (typeof PLUGINS)[number];

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Release {
  readonly version: string;
  readonly atMs: number;
  readonly isPre: boolean;
  readonly fault: ReleaseRow["fault"];
}

/** One start of a server. `boot` is the start's own random number, 16 hex digits. */
export interface Start {
  readonly atMs: number;
  readonly release: Release;
  readonly boot: string;
}

/** A person who uses an instance in one browser. */
export interface Person {
  readonly number: number;
  /** The id that the browser generated after the Yes. */
  readonly browserId: string;
  readonly visitsPerWeek: number;
  readonly isBuilder: boolean;
  /** Whether the browser sends Sec-GPC, so that the gateway accepts nothing from it. */
  readonly hasPrivacySignal: boolean;
}

export interface Instance {
  readonly number: number;
  /** The secret from which the SDK derives the instance's id. */
  readonly key: string;
  readonly role: (typeof ROLES)[number]["role"];
  readonly environment: Environment;
  readonly edition: "community" | "enterprise";
  readonly os: "linux" | "darwin";
  readonly arch: "x64" | "arm64";
  readonly runtime: string;
  /** When the instance runs, within the story. */
  readonly life: Span;
  /** Oldest first. The first start is the beginning of `life`. */
  readonly starts: readonly [Start, ...Start[]];
  readonly outages: readonly Span[];
  /** A copy of the instance's folder that runs at the same time; undefined if nobody made one. */
  readonly copy: { readonly life: Span; readonly start: Start } | undefined;
  /**
   * The id of the install that made this instance; undefined if that was before the story, or without the
   * installer.
   */
  readonly installId: string | undefined;
  /** Whether the instance's operator said No, so that nothing may be sent. */
  readonly isRefused: boolean;
  readonly actionsPerDay: number;
  readonly plugins: readonly Plugin[];
  /** The people who use the instance in a browser; empty unless the operator allowed browsers to send. */
  readonly people: readonly Person[];
}

/** One run of the installer. */
export interface Install {
  /** The random id of this run, 32 hex digits. */
  readonly id: string;
  readonly atMs: number;
  readonly endMs: number;
  readonly version: string;
  readonly os: (typeof SYSTEMS)[number]["os"] | "alpine";
  readonly outcome: "success" | "silent" | (typeof INSTALL_FAULTS)[number]["error"];
  /** The e-mail address that the person typed to get help; undefined if none was typed. */
  readonly email: string | undefined;
  readonly isRefused: boolean;
}

export interface StoryOptions {
  readonly seed: number;
  readonly instances: number;
  readonly weeks: number;
  /** When the story ends, in epoch milliseconds. */
  readonly endMs: number;
}

export interface Story extends StoryOptions, Span {
  readonly releases: readonly Release[];
  readonly fleet: readonly Instance[];
  readonly installs: readonly Install[];
}

/** The part of a story from which its fleet and installs are made. */
export type StoryBase = Omit<Story, "fleet" | "installs">;

/**
 * The newest release at `atMs`, not counting pre-releases; the story's first release if there is none yet.
 */
export function releaseAt({ releases }: Pick<StoryBase, "releases">, atMs: number): Release {
  const [first] = releases;
  const found = releases.findLast((release) => !release.isPre && release.atMs <= atMs) ?? first;
  if (found === undefined) throw new Error("the story has no release");
  return found;
}
