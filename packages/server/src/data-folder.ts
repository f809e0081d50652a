/** Opens and locks the data folder. */
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { CandorError, causeOf, toWriteError } from "./errors.ts";
import { claimFolder } from "./private-folder.ts";

/** The size of a large batch. */
const PROBE_BYTES = 128 * 1024;

/** The folder of everything that Candor keeps, held by this process alone. */
export interface DataFolder {
  /** Segment files waiting for the store. */
  readonly logDir: string;
  /** Hashes of messageIds. */
  readonly dedupeDir: string;
  /** The embedded store. */
  readonly storeDir: string;
  /** Rows that the store rejected. */
  readonly quarantineDir: string;
  /** The key under which ids are hashed. */
  readonly hashSecretFile: string;
  release(): void;
}

/**
 * Creates the folder, or takes one that belongs to this user alone (mode 0700), and locks it. The lock is the
 * kernel's, on the open file: it ends with the process, however that ends, so no stale lock needs cleaning up.
 * @throws CandorError `data_folder_foreign`, `data_folder_linked`, `data_folder_unwritable`, `data_folder_locked`,
 * `lock_unsupported`
 */
export function openDataFolder(dataDir: string): DataFolder {
  const dirs = {
    logDir: join(dataDir, "log"),
    dedupeDir: join(dataDir, "dedupe"),
    storeDir: join(dataDir, "store"),
    quarantineDir: join(dataDir, "quarantine"),
  };
  const fd = orUnwritable(dataDir, () => {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    claimFolder(dataDir); // before anything in it is used
    for (const dir of Object.values(dirs)) mkdirSync(dir, { recursive: true, mode: 0o700 });
    return openLock(dataDir);
  });
  if (!tryLock(fd, dataDir)) {
    closeSync(fd);
    throw new CandorError("data_folder_locked", { folder: dataDir });
  }
  return { ...dirs, hashSecretFile: join(dataDir, "hash-secret"), release: () => closeSync(fd) };
}

/** Whether a process holds the folder. Changes nothing, except that it may create the lock file. @throws CandorError as openDataFolder */
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

/** Node has no file locks. Uses the library's where it is built for the platform, and the program flock on musl. */
function tryLock(fd: number, folder: string): boolean {
  try {
    const locks: { tryLock(fd: number): boolean } = createRequire(import.meta.url)("fs-native-extensions");
    return locks.tryLock(fd);
  } catch {
    return tryFlock(fd, folder);
  }
}

/** The lock belongs to the open file, which the program shares with us, so it outlives the program. */
export function tryFlock(fd: number, folder: string): boolean {
  const { status } = spawnSync("flock", ["-n", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
  if (status !== null) return status === 0;
  throw new CandorError("lock_unsupported", { folder, cause: `${process.platform} ${process.arch}` });
}

/**
 * Writes and flushes a few bytes, the only way to know that the disk accepts them.
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
