/** Writes durably to the real disk. */
import {
  closeSync,
  fdatasync,
  fsync,
  fsyncSync,
  ftruncate,
  openSync,
  renameSync,
  writeFileSync,
  writev,
  writevSync,
} from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { Disk } from "./log.ts";

const writevAsync = promisify(writev);
const fsyncAsync = promisify(fsync);

export const disk: Disk = {
  write: writeAll,
  flush: promisify(fdatasync),
  truncate: promisify(ftruncate),
};

/**
 * Writes of up to this size are synchronous: copying them to the page cache is faster than waking a thread of
 * the pool.
 */
const AT_ONCE_BYTES = 64 * 1024;

/**
 * Writes all buffers, calling writev until nothing is left: near a full disk, it may write less than it was
 * given without reporting an error.
 */
async function writeAll(fd: number, buffers: readonly Buffer[], position: number): Promise<void> {
  let rest = [...buffers];
  let at = position;
  const isSmall = rest.reduce((sum, { length }) => sum + length, 0) <= AT_ONCE_BYTES;
  while (rest.length > 0) {
    let bytesWritten = isSmall ? writevSync(fd, rest, at) : (await writevAsync(fd, rest, at)).bytesWritten;
    at += bytesWritten;
    while (rest[0] !== undefined && bytesWritten >= rest[0].length) {
      bytesWritten -= rest[0].length;
      rest = rest.slice(1);
    }
    if (rest[0] !== undefined && bytesWritten > 0) rest[0] = rest[0].subarray(bytesWritten);
  }
}

/**
 * Makes the file names in a folder durable: after a power cut, a new file can only be found if its folder was
 * flushed.
 */
export async function flushFolder(path: string): Promise<void> {
  const fd = openSync(path, "r");
  try {
    await fsyncAsync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Writes a small file with mode 0600 so that a crash leaves either all of the new content or what was there
 * before.
 */
export function writeFileDurably(path: string, content: Buffer | string): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, content, { mode: 0o600, flush: true });
  renameSync(temporary, path);
  const fd = openSync(dirname(path), "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
