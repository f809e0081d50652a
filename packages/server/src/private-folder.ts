/**
 * Keeps the data folder private to this user: anybody who could write there could choose the keys and read the log.
 */
import { chmodSync, lstatSync, readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { CandorError, causeOf } from "./errors.ts";

const FOR_OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o022;
/** The root of a separate file system has it; Candor never looks into it. */
const NOT_OURS = "lost+found";
/** The folder's own entries, and those of log/, dedupe/ and so on. Deeper ones belong to the engine. */
const OUR_LEVELS = 2;

/**
 * Sets the folder's mode to 0700. Refuses a folder that belongs to somebody else, or that contains a link or anything
 * of somebody else's. If others could write to it until now, everything in it is checked, at any depth.
 * @throws CandorError `data_folder_foreign`, `data_folder_linked`; what the file system throws
 */
export function claimFolder(folder: string): void {
  checkFolder(folder, chmodSync);
}

/** Makes the same checks and changes nothing. @throws CandorError as claimFolder */
export function checkFolderOwner(folder: string): void {
  checkFolder(folder, () => {});
}

type SetMode = (path: string, mode: number) => void;

function checkFolder(folder: string, setMode: SetMode): void {
  const userId = process.geteuid?.();
  if (userId === undefined) return; // Windows has access lists instead
  const linkOwnerId = lstatSync(folder).uid;
  if (linkOwnerId !== 0) checkOwner(folder, linkOwnerId, userId);
  const stats = statSync(folder); // the folder itself may be reached by a link
  checkOwner(folder, stats.uid, userId);
  checkTree({ folder, stats, level: 1, userId, isOpen: false }, setMode);
}

interface Place {
  readonly folder: string;
  readonly stats: Stats;
  readonly level: number;
  readonly userId: number;
  /** Others could write to a folder above it. */
  readonly isOpen: boolean;
}

/** Closes the folder to others before it is checked, so that nobody can change it during the check. */
function checkTree(place: Place, setMode: SetMode): void {
  const { folder, stats } = place;
  const isClosed = (stats.mode & FOR_OTHERS) === 0;
  if (!isClosed) setMode(folder, 0o700);
  try {
    checkEntries(place, setMode);
  } catch (error) {
    if (!isClosed) setMode(folder, stats.mode & 0o7777); // so that the next start checks as thoroughly
    throw error;
  }
}

function checkEntries({ folder, stats, level, userId, isOpen }: Place, setMode: SetMode): void {
  const wasOpen = isOpen || (stats.mode & WRITABLE_BY_OTHERS) !== 0;
  if (level > OUR_LEVELS && !wasOpen) return;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const entry = lookAt(path);
    if (entry === undefined || (level === 1 && name === NOT_OURS)) continue;
    if (entry.isSymbolicLink() && level <= OUR_LEVELS) throw new CandorError("data_folder_linked", { path });
    checkOwner(path, entry.uid, userId);
    if (!entry.isDirectory()) continue;
    checkTree({ folder: path, stats: entry, level: level + 1, userId, isOpen: wasOpen }, setMode);
  }
}

/** Undefined if it has gone meanwhile, as a running collector's files do. */
function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (causeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function checkOwner(path: string, ownerId: number, userId: number): void {
  if (ownerId !== userId) throw new CandorError("data_folder_foreign", { path, ownerId, userId });
}
