/**
 * Opens only plain files, and reads whole ones only up to a size limit. Anyone who may write to a state
 * folder could put a pipe there, a link to /dev/zero, or a link to a file that only this user may read.
 */

import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { codeOf } from "@candor/envelope/unknown-value";

/**
 * The size limit for reading a whole file, far larger than any of the SDK's own. Files of messages are read
 * in chunks.
 */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;
const FILE_MODE = 0o600;
/** Windows has neither flag. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

export interface ReadTextOptions {
  /**
   * Whether to follow a link, because an administrator's own file may be one. The link's target must still be
   * a plain file.
   * @default false
   */
  readonly mayBeLink?: boolean;
}

/**
 * The text of a file; undefined if the file does not exist, null if it cannot be read, is not a plain file,
 * or exceeds 16 MiB.
 */
export function readText(
  path: string,
  { mayBeLink = false }: ReadTextOptions = {},
): string | undefined | null {
  try {
    const fd = openSync(path, constants.O_RDONLY | O_NONBLOCK | (mayBeLink ? 0 : O_NOFOLLOW));
    try {
      return readPlain(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return isMissing(error) ? undefined : null;
  }
}

function readPlain(fd: number): string | null {
  const stat = fstatSync(fd);
  if (!stat.isFile() || stat.size > MAX_TEXT_BYTES) return null;
  const bytes = Buffer.allocUnsafe(stat.size);
  let filled = 0;
  while (filled < bytes.length) {
    const read = readSync(fd, bytes, filled, bytes.length - filled, filled);
    if (read === 0) break;
    filled += read;
  }
  return bytes.toString("utf8", 0, filled);
}

/** Whether the file does not exist. ENOTDIR means that its parent path is a file. */
function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "");
}

/**
 * Appends a text in one call, and flushes it to disk before returning.
 * @throws a file system error, or an error if the path is not a plain file or the file exceeds 16 MiB
 */
export function appendText(path: string, text: string): void {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | O_NOFOLLOW | O_NONBLOCK;
  const fd = openSync(path, flags, FILE_MODE);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > MAX_TEXT_BYTES) throw new NotPlain();
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens an existing file, without following a link.
 * @param flags `constants.O_RDONLY` or `O_WRONLY`
 * @throws a file system error, or an error if the path is not a plain file
 */
export async function openPlain(path: string, flags: number): Promise<FileHandle> {
  const file = await open(path, flags | O_NOFOLLOW | O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new NotPlain();
}

class NotPlain extends Error {
  readonly code = "not_plain";
}
