/**
 * Opens only plain files of a bounded size: anybody who may write to a state folder can put a pipe there that is never written
 * to, a link to /dev/zero, or a link to a file that only the reader may read.
 */

import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { codeOf } from "../unknown-value.ts";

/** Far more than any of our files; those of messages are read in pieces. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;
const FILE_MODE = 0o600;
/** Windows has neither. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

export interface ReadTextOptions {
  /** Whether a link is followed: an administrator's own file may be one. What it leads to must be plain all the same. @default false */
  readonly mayBeLink?: boolean;
}

/** The text of a file; undefined: there is none; null: it cannot be read, is not a plain file, or has more than 16 MiB. */
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

/** ENOTDIR: there can be none, because what should be its folder is a file. */
function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "");
}

/** Appends a text in one call, and has it on disk when it returns. @throws the file system's error, or that it is no plain file */
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

/** Opens a file of messages. @param flags `constants.O_RDONLY` or `O_WRONLY` @throws the file system's error, or that it is no plain file */
export async function openPlain(path: string, flags: number): Promise<FileHandle> {
  const file = await open(path, flags | O_NOFOLLOW | O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new NotPlain();
}

class NotPlain extends Error {
  readonly code = "not_plain";
}
