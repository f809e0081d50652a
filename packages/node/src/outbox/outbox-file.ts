/** Reads and deletes the files of an outbox, and stores how much of each has been delivered. */
import { constants } from "node:fs";
import { type FileHandle, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type OutboxName, parseOutboxName } from "../scope.ts";
import { openPlain } from "../state/plain-file.ts";
import { removeFile, replaceFileLater } from "../state/state-folder.ts";

const LINE_BREAK = 10;
/** The most bytes that one read takes while lines are counted. */
const COUNTED_BYTES = 256 * 1024;
/** The size limit of a cursor file, which contains only a number and a line break. */
const CURSOR_BYTES = 32;
/** Larger files are ignored: the SDK's have 5 MiB by default, and counting the lines would take minutes. */
const MAX_FILE_BYTES = 4 * 1024 ** 3;
/** A longer line is not a message: the collector's limit for a message is 32 KiB. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;

/** One file of messages, and how much of it has been delivered. */
export interface OutboxFile extends OutboxName {
  readonly path: string;
  readonly sizeBytes: number;
  /** How many bytes, from the start of the file, have been delivered or given up. */
  readonly sentBytes: number;
  /** When the file was last written to, in epoch milliseconds. */
  readonly writtenAtMs: number;
}

/**
 * The files of messages in an outbox, oldest first, without those larger than 4 GiB. Empty if there is no
 * outbox or it cannot be read.
 */
export async function listOutboxFiles(outbox: string): Promise<readonly OutboxFile[]> {
  const names = await readdir(outbox).catch(() => []);
  const files: OutboxFile[] = [];
  // Sequentially: thousands of parallel calls would keep the product from using the thread pool.
  for (const name of names) {
    const file = await describeFile(outbox, name);
    if (file !== undefined) files.push(file);
  }
  return files.sort((one, other) => one.begunAtMs - other.begunAtMs || (one.path < other.path ? -1 : 1));
}

async function describeFile(outbox: string, name: string): Promise<OutboxFile | undefined> {
  const about = parseOutboxName(name);
  if (about === undefined) return undefined;
  const path = join(outbox, name);
  try {
    const stat = await lstat(path);
    if (!stat.isFile() || stat.size > MAX_FILE_BYTES) return undefined;
    const { size, mtimeMs } = stat;
    return {
      ...about,
      path,
      sizeBytes: size,
      sentBytes: Math.min(await readCursor(path), size),
      writtenAtMs: mtimeMs,
    };
  } catch {
    return undefined; // the file was deleted in the meantime
  }
}

function cursorOf(path: string): string {
  return path.replace(/\.ndjson$/, ".sent");
}

/** How many bytes of a file have been delivered or given up; 0 if unknown. */
export async function readCursor(path: string): Promise<number> {
  try {
    const file = await openForReading(cursorOf(path));
    const bytes = await readBytes(file, 0, CURSOR_BYTES).finally(() => file.close());
    const text = bytes.toString("latin1").trim();
    return /^\d{1,15}$/.test(text) ? Number(text) : 0;
  } catch {
    return 0;
  }
}

/**
 * Stores how many bytes have been delivered or given up.
 * @param mayReplace see `replaceFileLater`
 * @throws a file system error
 */
export function writeCursor(path: string, sentBytes: number, mayReplace: () => boolean): Promise<void> {
  const text = `${sentBytes}\n`;
  return replaceFileLater(cursorOf(path), text, mayReplace);
}

/** Deletes a file and its cursor. Returns false if the file was already gone, or cannot be deleted. */
export function deleteOutboxFile(path: string): boolean {
  const isDeleted = removeFile(path);
  removeFile(cursorOf(path));
  return isDeleted;
}

/** Whole lines of a file, unchanged. */
export interface Lines {
  /** The lines with their line breaks. Empty if the file has no complete line there. */
  readonly bytes: Buffer;
  readonly count: number;
}

export interface LinesLimit {
  readonly maxBytes: number;
  readonly maxLines: number;
}

/**
 * Reads whole lines from an offset: as many as the limits allow, but always at least the first one, unless it
 * is incomplete or longer than about 8 MiB.
 * @throws a file system error
 */
export async function readLines(path: string, fromByte: number, limit: LinesLimit): Promise<Lines> {
  const file = await openForReading(path);
  try {
    const lines = cutLines(await readBytes(file, fromByte, limit.maxBytes), limit.maxLines);
    if (lines.count > 0) return lines;
    return await readLongLine(file, fromByte, limit.maxBytes);
  } finally {
    await file.close();
  }
}

/** Opens a plain file without following links. @throws a file system error */
export function openForReading(path: string): Promise<FileHandle> {
  return openPlain(path, constants.O_RDONLY);
}

/** Reads `length` bytes, or fewer if the file ends earlier. @throws a file system error */
export async function readBytes(file: FileHandle, fromByte: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, fromByte + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/**
 * Reads a line that is longer than the byte limit: the SDK writes none, but such a line must not block the
 * lines after it. Returns no line if it is longer than about 8 MiB.
 */
async function readLongLine(file: FileHandle, fromByte: number, lengthBytes: number): Promise<Lines> {
  for (let length = lengthBytes * 2; length <= MAX_LINE_BYTES; length *= 2) {
    const bytes = await readBytes(file, fromByte, length);
    const lines = cutLines(bytes, 1);
    if (lines.count > 0 || bytes.length < length) return lines;
  }
  return { bytes: Buffer.alloc(0), count: 0 };
}

function cutLines(bytes: Buffer, maxLines: number): Lines {
  let end = 0;
  let count = 0;
  while (count < maxLines) {
    const next = bytes.indexOf(LINE_BREAK, end);
    if (next === -1) break;
    end = next + 1;
    count += 1;
  }
  return { bytes: bytes.subarray(0, end), count };
}

/**
 * Counts the whole lines between two offsets.
 * @param fromByte the start of a line
 * @param toByte the end of the file by default
 * @throws a file system error
 */
export async function countLines(
  path: string,
  fromByte: number,
  toByte = Number.POSITIVE_INFINITY,
): Promise<number> {
  if (fromByte >= toByte) return 0;
  const file = await openForReading(path);
  try {
    let count = 0;
    for (let at = fromByte; at < toByte; ) {
      const bytes = await readBytes(file, at, Math.min(COUNTED_BYTES, toByte - at));
      if (bytes.length === 0) break;
      for (let end = bytes.indexOf(LINE_BREAK); end !== -1; end = bytes.indexOf(LINE_BREAK, end + 1))
        count += 1;
      at += bytes.length;
    }
    return count;
  } finally {
    await file.close();
  }
}
