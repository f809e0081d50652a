/** Opens and locks the data folder, and checks that its disk accepts writes. */
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { CandorError, causeOf, toWriteError } from "./errors.ts";
import { claimFolder } from "./private-folder.ts";

/** Size of the file that `probeDisk` writes: about the size of a large batch. */
const PROBE_BYTES = 128 * 1024;

/** The folder that holds all of Candor's data, locked by this process. */
export interface DataFolder {
  /** Folder of the embedded store. */
  readonly storeDir: string;
  release(): void;
}

/** What the collector keeps for one product, outside the store. */
export interface ProductFolder {
  /** Folder of the log's segment files. */
  readonly logDir: string;
  /** Folder of the dedupe keys, each a hash of a source and a messageId. */
  readonly dedupeDir: string;
  /** Folder of quarantined rows and segment files. */
  readonly quarantineDir: string;
  /** File with the secret key for hashing ids. */
  readonly hashSecretFile: string;
}

/**
 * Creates the folder, or opens an existing one that belongs to this user alone, sets its mode to 0700 and
 * locks it. The kernel holds the lock on the open file and releases it when the process ends for any reason,
 * so no stale lock needs cleaning up.
 * @throws CandorError `data_folder_foreign`, `data_folder_linked`, `data_folder_unwritable`,
 * `data_folder_locked`, `lock_unsupported`
 */
export function openDataFolder(dataDir: string): DataFolder {
  const storeDir = join(dataDir, "store");
  const fd = orUnwritable(dataDir, () => {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    claimFolder(dataDir); // before anything in it is used
    mkdirSync(storeDir, { recursive: true, mode: 0o700 });
    return openLock(dataDir);
  });
  if (!tryLock(fd, dataDir)) {
    closeSync(fd);
    throw new CandorError("data_folder_locked", { folder: dataDir });
  }
  return { storeDir, release: () => closeSync(fd) };
}

/**
 * Creates a product's folders, or finds existing ones.
 * @param dir the data folder, or a folder in it
 * @throws CandorError `data_folder_unwritable`
 */
export function openProductFolder(dir: string): ProductFolder {
  const dirs = {
    logDir: join(dir, "log"),
    dedupeDir: join(dir, "dedupe"),
    quarantineDir: join(dir, "quarantine"),
  };
  orUnwritable(dir, () => {
    for (const path of Object.values(dirs)) mkdirSync(path, { recursive: true, mode: 0o700 });
  });
  return { ...dirs, hashSecretFile: join(dir, "hash-secret") };
}

/**
 * Whether a process holds the folder's lock. If none does, takes the lock for a moment. Changes nothing,
 * except that it may create the lock file.
 * @throws CandorError `data_folder_unwritable`, `lock_unsupported`
 */
export function isDataFolderHeld(dataDir: string): boolean {
  const fd = orUnwritable(dataDir, () => openLock(dataDir));
  try {
    return !tryLock(fd, dataDir);
  } finally {
    closeSync(fd);
  }
}

function openLock(dataDir: string): number {
  return openSync(join(dataDir, "lock"), "a+", 0o600);
}

function orUnwritable<Result>(folder: string, use: () => Result): Result {
  try {
    return use();
  } catch (error) {
    if (error instanceof CandorError) throw error;
    throw new CandorError("data_folder_unwritable", { folder, cause: causeOf(error) }, error);
  }
}

/**
 * Locks an open file. Node has no file locks, so this uses the library fs-native-extensions where it is built
 * for the platform, and otherwise (as on musl) the program flock.
 * @returns false if another process holds the lock
 * @throws CandorError `lock_unsupported`
 */
function tryLock(fd: number, folder: string): boolean {
  try {
    const locks: { tryLock(fd: number): boolean } = createRequire(import.meta.url)("fs-native-extensions");
    return locks.tryLock(fd);
  } catch {
    return tryFlock(fd, folder);
  }
}

/**
 * Locks an open file with the program flock. The lock belongs to the open file, which this process shares
 * with the program, so the lock remains when the program has ended.
 * @returns false if another process holds the lock
 * @throws CandorError `lock_unsupported` if the program cannot be run
 */
export function tryFlock(fd: number, folder: string): boolean {
  const { status } = spawnSync("flock", ["-n", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
  if (status !== null) return status === 0;
  throw new CandorError("lock_unsupported", { folder, cause: `${process.platform} ${process.arch}` });
}

/**
 * Writes, flushes and deletes a file, which is the only way to know that the disk accepts writes.
 * @throws CandorError `disk_full`, `log_unwritable`
 */
export async function probeDisk(dataDir: string): Promise<void> {
  const path = join(dataDir, "ready-probe");
  try {
    const file = await open(path, "w", 0o600);
    try {
      await file.writeFile(Buffer.alloc(PROBE_BYTES));
      await file.datasync();
    } finally {
      await file.close();
      await rm(path, { force: true });
    }
  } catch (error) {
    throw toWriteError(error);
  }
}
