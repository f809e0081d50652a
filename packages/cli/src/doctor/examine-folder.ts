/** Examines the data folder, its disk and its quarantine for the doctor. */
import { constants } from "node:fs";
import { access, lstat, readdir, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  CandorError,
  causeOf,
  checkFolderOwner,
  isDataFolderHeld,
  listQuarantined,
  probeDisk,
} from "@candor/server";
import type { DiskFacts, FolderFacts, QuarantineFacts } from "./facts.ts";

/**
 * Examines the data folder without creating it. Leaves nothing behind: the file that tests the disk is
 * deleted.
 */
export async function examineFolder(path: string): Promise<Omit<FolderFacts, "keysFault">> {
  const mode = await modeOf(path);
  if (mode === undefined) {
    const state = await examineMissing(path);
    return { path, state, mode, keysMode: undefined, lock: "free", foreign: undefined };
  }
  return {
    path,
    state: await examineThere(path),
    mode: hasModes ? mode : undefined,
    keysMode: hasModes ? await modeOf(join(path, "keys.json")) : undefined,
    lock: await examineLock(path),
    foreign: examineOwner(path),
  };
}

const hasModes = process.platform !== "win32";

async function modeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ mode }) => mode & 0o777,
    () => undefined,
  );
}

/** A missing folder can be created if its nearest existing parent is writable. */
async function examineMissing(path: string): Promise<FolderFacts["state"]> {
  try {
    await access(await findExisting(path), constants.W_OK | constants.X_OK);
    return "missing";
  } catch (error) {
    return { cause: causeOf(error) };
  }
}

async function examineThere(path: string): Promise<FolderFacts["state"]> {
  try {
    await probeDisk(path);
    return "writable";
  } catch (error) {
    return { cause: causeOf(error instanceof CandorError ? error.cause : error) };
  }
}

/**
 * Tries to lock the folder, because there is no other way to find out whether a process holds it. Without a
 * lock file the folder was never in use, and no lock file is created.
 */
async function examineLock(path: string): Promise<FolderFacts["lock"]> {
  if ((await modeOf(join(path, "lock"))) === undefined) return "free";
  try {
    return isDataFolderHeld(path) ? "held" : "free";
  } catch (error) {
    return { why: causeOf(error instanceof CandorError ? (error.cause ?? error) : error) };
  }
}

/**
 * Returns why a start would reject the folder's owner or an entry. Undefined if it would not, or if that
 * cannot be examined, which other checks report.
 */
function examineOwner(path: string): string | undefined {
  try {
    checkFolderOwner(path);
    return undefined;
  } catch (error) {
    return error instanceof CandorError ? error.message : undefined;
  }
}

/**
 * Measures the space that is free for this user, and the space that the log and the store take. Undefined if
 * the system does not report free space.
 */
export async function measureDisk(path: string): Promise<DiskFacts | undefined> {
  try {
    const { bavail, bsize } = await statfs(await findExisting(path));
    return {
      freeBytes: bavail * bsize,
      logBytes: await sizeOf(join(path, "log")),
      storeBytes: await sizeOf(join(path, "store")),
    };
  } catch {
    return undefined;
  }
}

async function findExisting(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    if ((await modeOf(at)) !== undefined || at === dirname(at)) return at;
  }
}

/**
 * Sums the bytes of all files below a folder. The sum is 0 if this folder, or any folder in it, cannot be
 * read. A file deleted meanwhile counts as 0.
 */
async function sizeOf(dir: string): Promise<number> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    if (entry.isFile())
      bytes += await lstat(join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      );
  }
  return bytes;
}

/**
 * Reads a product's quarantined rows, without their content.
 * @param productDir the folder with the product's data
 */
export function examineQuarantine(productDir: string): QuarantineFacts {
  const dir = join(productDir, "quarantine");
  try {
    const rows = listQuarantined(dir).map(({ id, fault, quarantinedAt }) => ({ id, fault, quarantinedAt }));
    return { dir, rows, cause: undefined };
  } catch (error) {
    // The message of a SyntaxError quotes the file, and the file holds what a client sent.
    return {
      dir,
      rows: [],
      cause: error instanceof SyntaxError ? "one of its files is not JSON" : causeOf(error),
    };
  }
}
