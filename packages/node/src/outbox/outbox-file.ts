import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { removeFile, replaceFile } from "../state/state-folder.ts";

const LINE_BREAK = 10;
export const SOURCES = ["installer", "server", "client"] as const;
export type Source = (typeof SOURCES)[number];

/** One file of messages, and how far it was delivered. */
export interface OutboxFile {
  readonly source: Source;
  readonly path: string;
  /** When the process that wrote it began it, epoch milliseconds. */
  readonly begunAtMs: number;
  readonly sizeBytes: number;
  /** Bytes from its beginning that are dealt with. */
  readonly sentBytes: number;
  /** When it was last written to, epoch milliseconds. */
  readonly writtenAtMs: number;
}

const NAME = /^(installer|server|client)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[0-9A-Za-z-]+\.ndjson$/;

/** A name of a new file: `server-20261123T120000Z-1f0c….ndjson`. */
export function nameOutboxFile(source: Source, nowMs: number): string {
  const time = `${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
  return `${source}-${time}-${randomBytes(6).toString("hex")}.ndjson`;
}

/** The files of an outbox, oldest first. Empty when there is no outbox, or it cannot be read. */
export function listOutboxFiles(outbox: string): readonly OutboxFile[] {
  return namesIn(outbox)
    .flatMap((name) => describeFile(outbox, name))
    .sort((one, other) => one.begunAtMs - other.begunAtMs || (one.path < other.path ? -1 : 1));
}

function namesIn(outbox: string): readonly string[] {
  try {
    return readdirSync(outbox);
  } catch {
    return [];
  }
}

function describeFile(outbox: string, name: string): readonly OutboxFile[] {
  const match = NAME.exec(name);
  const source = SOURCES.find((candidate) => candidate === match?.[1]);
  if (match === null || source === undefined) return [];
  const [, , year, month, day, hours, minutes, seconds] = match;
  const path = join(outbox, name);
  try {
    const found = statSync(path);
    if (!found.isFile()) return [];
    const { size, mtimeMs } = found;
    return [
      {
        source,
        path,
        begunAtMs: Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`),
        sizeBytes: size,
        sentBytes: Math.min(readCursor(path), size),
        writtenAtMs: mtimeMs,
      },
    ];
  } catch {
    return []; // deleted meanwhile
  }
}

function cursorOf(path: string): string {
  return path.replace(/\.ndjson$/, ".sent");
}

/** How many bytes of a file are dealt with; 0 when nothing says so. */
export function readCursor(path: string): number {
  try {
    const text = readFileSync(cursorOf(path), "latin1").trim();
    return /^\d{1,15}$/.test(text) ? Number(text) : 0;
  } catch {
    return 0;
  }
}

/** Says that so many bytes are dealt with. @throws the file system's error */
export function writeCursor(path: string, sentBytes: number): void {
  replaceFile(cursorOf(path), `${sentBytes}\n`);
}

/** Deletes a file and its cursor. False: it was gone. */
export function deleteOutboxFile(path: string): boolean {
  const isDeleted = removeFile(path);
  removeFile(cursorOf(path));
  return isDeleted;
}

/** Deletes all that is there of a source, delivered or not. */
export function deleteOutboxFilesOf(source: Source, outbox: string): void {
  for (const file of listOutboxFiles(outbox)) if (file.source === source) deleteOutboxFile(file.path);
}

/** Whole lines of a file, as they stand there. */
export interface Lines {
  /** Each with its line break. Empty: there is none, or the last one is not whole yet. */
  readonly bytes: Buffer;
  readonly count: number;
}

export interface LinesLimit {
  readonly maxBytes: number;
  readonly maxLines: number;
}

/** Reads whole lines from an offset on: as many as the limits allow, but a first line however long. @throws the file system's error */
export async function readLines(path: string, fromByte: number, limit: LinesLimit): Promise<Lines> {
  const file = await open(path, "r");
  try {
    const lines = cutLines(await readBytes(file, fromByte, limit.maxBytes), limit.maxLines);
    if (lines.count > 0) return lines;
    return await readLongLine(file, fromByte, limit.maxBytes);
  } finally {
    await file.close();
  }
}

async function readBytes(file: FileHandle, fromByte: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, fromByte + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** A line that no limit allows, such as one that was not written by us: it must not hold up what is behind it. */
async function readLongLine(file: FileHandle, fromByte: number, lengthBytes: number): Promise<Lines> {
  for (let length = lengthBytes * 2; ; length *= 2) {
    const bytes = await readBytes(file, fromByte, length);
    const lines = cutLines(bytes, 1);
    if (lines.count > 0 || bytes.length < length) return lines;
  }
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

/** How many whole lines stand behind an offset. @throws the file system's error */
export async function countLines(path: string, fromByte: number): Promise<number> {
  const file = await open(path, "r");
  try {
    let count = 0;
    for (let at = fromByte; ; ) {
      const bytes = await readBytes(file, at, 1 << 18);
      if (bytes.length === 0) return count;
      count += cutLines(bytes, Number.POSITIVE_INFINITY).count;
      at += bytes.length;
    }
  } finally {
    await file.close();
  }
}
