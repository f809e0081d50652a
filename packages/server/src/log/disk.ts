/** Writes to the real disk, durably. */
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

/** The real disk. */
export const disk: Disk = {
  write: writeAll,
  flush: promisify(fdatasync),
  truncate: promisify(ftruncate),
};

/** Up to this size a write is synchronous: the page cache takes it sooner than a pool thread would wake up. */
const AT_ONCE_BYTES = 64 * 1024;

/** writev may write less than it was given, without an error, near a full disk. */
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

/** Makes the names in a folder durable: after a power cut, a file can be found only if its folder was flushed. */
export async function flushFolder(path: string): Promise<void> {
  const fd = openSync(path, "r");
  try {
    await fsyncAsync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Writes a small file of mode 0600 so that after a crash either all of it exists or none. */
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
