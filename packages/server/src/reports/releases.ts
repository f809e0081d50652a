/** Decides which versions are releases, and stores what the maker says of versions. */
import { parseTime, toIsoTime } from "@candor/envelope";
import { isRecord } from "@candor/envelope/unknown-value";
import semver from "semver";
import { invalidQuery } from "../errors.ts";
import { type Store, whileStoreAnswers } from "../store/client.ts";
import { ask, type ReportDependencies } from "./ask.ts";
import type { Period } from "./period.ts";

/** A version counts as a release once this many instances have run it. */
const INSTANCES_OF_RELEASE = 3;
const MAX_LENGTH = 100;

/** What the maker says of a version. */
export interface Declaration {
  readonly version: string;
  /** `auto` takes back what was said before. */
  readonly said: "release" | "no release" | "auto";
  /** When it was released, epoch milliseconds; 0 unless it is a release. */
  readonly releasedMs: number;
}

/**
 * Reads the body of a request that says whether a version is a release.
 * @throws CandorError `query_invalid`
 */
export function readDeclaration(body: unknown): Declaration {
  const { version, releasedAt, isRelease = true } = isRecord(body) ? body : {};
  if (typeof version !== "string" || version.length > MAX_LENGTH || semver.valid(version) === null)
    throw invalidQuery("version is a semver version, as instances report it, such as 2.4.0.");
  if (isRelease !== true && isRelease !== false && isRelease !== null)
    throw invalidQuery("isRelease is true, false, or null: by itself, once three instances run it.");
  if (isRelease !== true && releasedAt !== undefined)
    throw invalidQuery("Write releasedAt only with a version that is a release.");
  if (isRelease !== true) return { version, said: isRelease === null ? "auto" : "no release", releasedMs: 0 };
  const releasedMs = readTime(releasedAt);
  if (releasedMs === undefined)
    throw invalidQuery(
      "releasedAt is a day or a time (RFC 3339), such as 2026-01-31 or 2026-01-31T09:00:00Z.",
    );
  return { version, said: "release", releasedMs };
}

function readTime(text: unknown): number | undefined {
  if (typeof text !== "string") return undefined;
  return parseTime(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
}

/** Stores what the maker says of a version. @throws CandorError `store_away` */
export async function declareRelease(store: Store, declaration: Declaration, nowMs: number): Promise<void> {
  await whileStoreAnswers(() => store.insertRows("releases", [{ ...declaration, atMs: nowMs }]));
}

/** A version as reports see it. */
export interface Release {
  /** Number of instances that have run it. */
  readonly instances: number;
  readonly isRelease: boolean;
  /** RFC 3339; null if it is no release. */
  readonly releasedAt: string | null;
}

/** By version, as instances report it. Only semver versions can be releases. */
export type Releases = ReadonlyMap<string, Release>;

/**
 * Returns all versions that instances have run or the maker has spoken of.
 * @throws CandorError `store_away`, `report_too_large`
 */
export async function readReleases({ store }: ReportDependencies, period: Period): Promise<Releases> {
  const rows = await ask(store, "releases", period);
  return new Map(
    rows.map((row) => {
      const [version, instances] = [String(row.version), Number(row.instances)];
      const isRun = semver.valid(version) !== null && instances >= INSTANCES_OF_RELEASE;
      const isRelease = row.said === "release" || (row.said !== "no release" && isRun);
      const releasedMs = Number(row.said === "release" ? row.declaredMs : row.thirdMs);
      return [version, { instances, isRelease, releasedAt: isRelease ? toIsoTime(releasedMs) : null }];
    }),
  );
}

/** Returns what the maker has said of versions, newest version first. @throws CandorError `store_away` */
export async function listDeclarations(store: Store): Promise<readonly object[]> {
  const rows = await whileStoreAnswers(() =>
    store.query(
      "SELECT version, argMax(said, atMs) AS lastSaid, argMax(releasedMs, atMs) AS lastMs FROM releases GROUP BY version HAVING lastSaid != 'auto' LIMIT 10000",
    ),
  );
  return rows
    .map(({ version, lastSaid, lastMs }) => ({
      version: String(version),
      isRelease: lastSaid === "release",
      releasedAt: lastSaid === "release" ? toIsoTime(Number(lastMs)) : null,
    }))
    .sort((a, b) => semver.rcompare(a.version, b.version));
}
