/**
 * Keeps the data folder private to this user: anybody who could write there could choose the keys and read
 * the log.
 */
import { chmodSync, lstatSync, readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { CandorError, causeOf } from "./errors.ts";

const FOR_OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o022;
/** A folder that the file system creates if the data folder is its root. Candor never reads it. */
const NOT_OURS = "lost+found";
/**
 * Number of levels whose entries Candor creates: the entries of the data folder, and those of log/, dedupe/
 * and so on. Deeper levels belong to the engine.
 */
const OUR_LEVELS = 2;

/**
 * Sets the mode of the folder, and of the folders in it that are checked, to 0700. Rejects a folder that
 * belongs to another user, or whose first two levels contain a link or another user's entry. If other users
 * could write to a folder until now, the deeper levels in it are checked for their entries too. Does nothing
 * on Windows.
 * @throws CandorError `data_folder_foreign`, `data_folder_linked`; also what the file system throws
 */
export function claimFolder(folder: string): void {
  checkFolder(folder, chmodSync);
}

/** Makes the same checks as claimFolder and changes nothing. @throws the same errors as claimFolder */
export function checkFolderOwner(folder: string): void {
  checkFolder(folder, () => {});
}

type SetMode = (path: string, mode: number) => void;

function checkFolder(folder: string, setMode: SetMode): void {
  const userId = process.geteuid?.();
  if (userId === undefined) return; // Windows has access lists instead
  const linkOwnerId = lstatSync(folder).uid;
  if (linkOwnerId !== 0) checkOwner(folder, linkOwnerId, userId);
  const stats = statSync(folder); // the path of the folder itself may be a link
  checkOwner(folder, stats.uid, userId);
  checkTree({ folder, stats, level: 1, userId, isOpen: false }, setMode);
}

interface Place {
  readonly folder: string;
  readonly stats: Stats;
  readonly level: number;
  readonly userId: number;
  /** Whether others could write to a folder above this one. */
  readonly isOpen: boolean;
}

/** Removes others' access to the folder before checking it, so that nobody can change it during the check. */
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

/** Returns undefined if the entry was deleted meanwhile: a running collector deletes files. */
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
