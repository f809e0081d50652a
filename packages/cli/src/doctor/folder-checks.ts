import { CandorError } from "@candor/server";
import type { DiskFacts, FolderFacts, ListeningFacts, QuarantineFacts } from "./facts.ts";
import { type Check, fail, ok, warn } from "./verdict.ts";

const WARN_FREE_BYTES = 1024 ** 3;
const FAIL_FREE_BYTES = 100 * 1024 ** 2;
const NEWEST_SHOWN = 3;
const FOR_OTHERS = 0o077;

/** The data folder: can be written, by this user alone, by one process. */
export function checkFolder(folder: FolderFacts, { answer, isOwn, url }: ListeningFacts): Check {
  const { path, state, lock, mode, keysMode, foreign } = folder;
  if (foreign !== undefined) return fail("data", foreign);
  if (typeof state === "object") {
    const { message } = new CandorError("data_folder_unwritable", { folder: path, cause: state.cause });
    return fail("data", message);
  }
  if (state === "missing") return ok("data", `${path} is not there yet; \`candor start\` makes it.`);
  if (typeof lock === "object")
    return fail(
      "data",
      `${path} cannot be locked (${lock.why}), so Candor cannot be sure to be alone on it.`,
    );
  if (mode !== undefined && (mode & FOR_OTHERS) !== 0)
    return warn(
      "data",
      `Others on this machine may open ${path} (mode ${octal(mode)}). Run: chmod 700 ${path}`,
    );
  if (keysMode !== undefined && (keysMode & FOR_OTHERS) !== 0) {
    return warn(
      "data",
      `Others on this machine may read the keys in ${path} (mode ${octal(keysMode)}). Run: chmod 600 ${path}/keys.json`,
    );
  }
  if (lock === "free" && answer.kind === "collector" && isOwn)
    return warn(
      "data",
      `The Candor at ${url} works on another data folder than ${path}. Set CANDOR_DATA_DIR to it.`,
    );
  return ok(
    "data",
    `${path} can be written; ${lock === "held" ? "a Candor works on it" : "no Candor works on it"}.`,
  );
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** Room for what comes: Candor answers 503 when there is none. */
export function checkDisk(disk: DiskFacts | undefined): Check {
  if (disk === undefined)
    return warn("disk", "The system does not say how much space is free. See that it suffices.");
  const { freeBytes, logBytes, storeBytes } = disk;
  const taken = `the log has ${formatBytes(logBytes)}, the store ${formatBytes(storeBytes)}`;
  const sentence = `${formatBytes(freeBytes)} free; ${taken}.`;
  const todo =
    "Free space, or set CANDOR_DATA_DIR to a larger disk; on a full one, messages are refused with 503.";
  if (freeBytes < FAIL_FREE_BYTES) return fail("disk", `${sentence} ${todo}`);
  return freeBytes < WARN_FREE_BYTES ? warn("disk", `${sentence} ${todo}`) : ok("disk", sentence);
}

/** Rows that the store rejected: how many, why, which last; never what they hold. */
export function checkQuarantine({ dir, rows, cause }: QuarantineFacts): Check {
  if (cause !== undefined)
    return warn("quarantine", `The rows in ${dir} could not be read: ${cause}. Look at the folder.`);
  if (rows.length === 0) return ok("quarantine", "The store has rejected no row.");
  const counts = new Map<string, number>();
  for (const { fault } of rows) counts.set(fault, (counts.get(fault) ?? 0) + 1);
  const faults = [...counts].map(([fault, count]) => `${count} ${fault}`).join(", ");
  const newest = [...rows]
    .sort((a, b) => (a.quarantinedAt < b.quarantinedAt ? 1 : -1))
    .slice(0, NEWEST_SHOWN)
    .map(({ id }) => id)
    .join(", ");
  return warn(
    "quarantine",
    `The store has rejected ${rows.length} of its rows (${faults}; newest: ${newest}). They are not in the store but in ${dir}, a file each, with the fault: read them, then delete them.`,
  );
}

/** Bytes for people, in powers of 1024. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
