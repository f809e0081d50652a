import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { CandorError, causeOf, toWriteError } from "./errors.ts";

/** As much as a large batch takes. */
const PROBE_BYTES = 128 * 1024;

/** The folder of everything that Candor keeps, held by this process alone. */
export interface DataFolder {
  /** Segments that wait for the store. */
  readonly logDir: string;
  /** Hashes of messageIds. */
  readonly dedupeDir: string;
  /** The embedded store. */
  readonly storeDir: string;
  /** Rows that the store rejected. */
  readonly setAsideDir: string;
  /** The key under which ids are hashed. */
  readonly hashSecretFile: string;
  release(): void;
}

/**
 * Makes the folder (mode 0700) and locks it. The lock is the kernel's, on the open file: it ends with the process,
 * however that ends, and there is no stale lock to clean up.
 * @throws CandorError `data_folder_unwritable`, `data_folder_locked`, `lock_unsupported`
 */
export function openDataFolder(dataDir: string): DataFolder {
  const dirs = {
    logDir: join(dataDir, "log"),
    dedupeDir: join(dataDir, "dedupe"),
    storeDir: join(dataDir, "store"),
    setAsideDir: join(dataDir, "set-aside"),
  };
  let fd: number;
  try {
    for (const dir of [dataDir, ...Object.values(dirs)]) mkdirSync(dir, { recursive: true, mode: 0o700 });
    fd = openSync(join(dataDir, "lock"), "a+", 0o600);
  } catch (error) {
    throw new CandorError("data_folder_unwritable", { folder: dataDir, cause: causeOf(error) }, error);
  }
  if (!tryLock(fd, dataDir)) {
    closeSync(fd);
    throw new CandorError("data_folder_locked", { folder: dataDir });
  }
  return { ...dirs, hashSecretFile: join(dataDir, "hash-secret"), release: () => closeSync(fd) };
}

/** Node has no file locks. The library's work where it was built for; on musl the program flock does it. */
function tryLock(fd: number, folder: string): boolean {
  try {
    const locks: { tryLock(fd: number): boolean } = createRequire(import.meta.url)("fs-native-extensions");
    return locks.tryLock(fd);
  } catch {
    return tryFlock(fd, folder);
  }
}

/** The lock belongs to the open file, which the program shares with us: it stays when the program has ended. */
export function tryFlock(fd: number, folder: string): boolean {
  const { status } = spawnSync("flock", ["-n", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
  if (status !== null) return status === 0;
  throw new CandorError("lock_unsupported", { folder, cause: `${process.platform} ${process.arch}` });
}

/**
 * Writes and flushes a few bytes: the only way to know that the disk takes them.
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
