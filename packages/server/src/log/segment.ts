/** Owns the log's segment files: writes, seals, recovers and reads them. */
import { closeSync, openSync, readSync } from "node:fs";
import { copyFile, open, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { flushFolder } from "./disk.ts";
import type { Disk, SealedSegment } from "./log.ts";
import { hasRecordBehind, scanKeys, walkRecords } from "./record.ts";

/**
 * A segment file's name shows its state. `<time>-<random>.open` accepts records. `<time>-<random>.<rows>.log`
 * is sealed: its dedupe keys are on disk, and it waits for the store.
 */
const FILE_NAME = /^(?<name>(?<openedAtMs>\d{15})-[0-9a-f]{16})\.(?:open|(?<rows>\d+)\.log)$/;

const NO_BUFFER = Buffer.alloc(0);
/** Number of rows for which a new segment file's key array has room. */
const INITIAL_ROWS = 1024;

type KeepKeys = (keys: Uint32Array) => Promise<void>;

export interface FoundSegment extends SealedSegment {
  readonly isSealed: boolean;
}

/** Returns all segment files of a folder, oldest first. Ignores other files. */
export async function listSegments(dir: string): Promise<FoundSegment[]> {
  const segments: FoundSegment[] = [];
  for (const file of (await readdir(dir)).sort()) {
    const { name, openedAtMs, rows } = FILE_NAME.exec(file)?.groups ?? {};
    if (name === undefined) continue;
    const path = join(dir, file);
    const { size } = await stat(path);
    segments.push({
      name,
      path,
      rows: Number(rows ?? 0),
      bytes: size,
      openedAtMs: Number(openedAtMs),
      isSealed: rows !== undefined,
    });
  }
  return segments;
}

/**
 * Seals a segment file that a crash left open: cuts off a torn tail, which contains no acknowledged record,
 * and keeps the keys of the rest. If the file begins with no whole record, deletes it and returns undefined.
 * If whole records follow a bad one, the disk is damaged: they are cut off too, but first a copy of the file
 * is made, and the copy's path is reported.
 */
export async function recoverSegment(
  found: FoundSegment,
  keepKeys: KeepKeys,
  onDamaged: (file: string) => void,
): Promise<SealedSegment | undefined> {
  const content = await readFile(found.path);
  const { keys: parts, goodBytes } = scanKeys(content);
  if (hasRecordBehind(content, goodBytes)) {
    const copy = `${found.path}.damaged`;
    await copyFile(found.path, copy);
    onDamaged(copy);
  }
  if (parts.length === 0) {
    await unlink(found.path);
    return undefined;
  }
  const file = await open(found.path, "r+");
  try {
    await file.truncate(goodBytes);
    await file.sync();
  } finally {
    await file.close();
  }
  const keys = joinKeys(parts);
  return sealFile({ ...found, rows: keys.length / 2, bytes: goodBytes }, keys, keepKeys);
}

/**
 * The segment file to which records are appended. `rows` and `bytes` count flushed records only; reserved
 * room is counted separately.
 */
export class OpenSegment {
  readonly name: string;
  readonly openedAtMs: number;
  readonly #dir: string;
  readonly #path: string;
  readonly #fd: number;
  /**
   * The keys of flushed records, two words per row, with spare room. One array is used because thousands of
   * small ones would stay in memory until the segment file is sealed.
   */
  #keys = new Uint32Array(2 * INITIAL_ROWS);
  rows = 0;
  bytes = 0;
  #reservedRows = 0;
  #reservedBytes = 0;
  /** Whether the file's name is not yet durable. */
  #isNew = true;
  /** Whether a write that is running or has failed may have left bytes after the flushed records. */
  #isTorn = false;

  constructor(dir: string, name: string, openedAtMs: number) {
    this.name = name;
    this.openedAtMs = openedAtMs;
    this.#dir = dir;
    this.#path = join(dir, `${name}.open`);
    this.#fd = openSync(this.#path, "wx", 0o600);
  }

  hasRoom(rows: number, bytes: number, maxRows: number, maxBytes: number): boolean {
    return this.#reservedRows + rows <= maxRows && this.#reservedBytes + bytes <= maxBytes;
  }

  reserve(rows: number, bytes: number): void {
    this.#reservedRows += rows;
    this.#reservedBytes += bytes;
  }

  release(rows: number, bytes: number): void {
    this.#reservedRows -= rows;
    this.#reservedBytes -= bytes;
  }

  /** Resolves once the frames and the file's name are on disk. On failure, none of the frames is kept. */
  async write(frames: readonly Buffer[], keys: readonly Uint32Array[], disk: Disk): Promise<void> {
    await this.#cutTear(disk);
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    if (bytes === 0) return;
    this.#isTorn = true;
    try {
      await disk.write(this.#fd, frames, this.bytes);
      await Promise.all([disk.flush(this.#fd), this.#isNew ? flushFolder(this.#dir) : undefined]);
    } catch (error) {
      // Truncated at once, while nothing after the torn bytes is acknowledged. If that fails too, it is
      // retried before the next write or the sealing.
      await this.#cutTear(disk).catch(() => {});
      throw error;
    }
    this.#isTorn = false;
    this.#isNew = false;
    this.bytes += bytes;
    for (const recordKeys of keys) this.#addKeys(recordKeys);
  }

  /** Seals the segment file. If it has no rows, it is deleted and undefined is returned. */
  async seal(keepKeys: KeepKeys, disk: Disk): Promise<SealedSegment | undefined> {
    await this.#cutTear(disk);
    if (this.rows === 0) {
      await unlink(this.#path);
      closeSync(this.#fd);
      return undefined;
    }
    const { name, rows, bytes, openedAtMs } = this;
    const segment = { name, path: this.#path, rows, bytes, openedAtMs };
    const sealed = await sealFile(segment, this.#keys.slice(0, 2 * this.rows), keepKeys);
    closeSync(this.#fd);
    return sealed;
  }

  #addKeys(keys: Uint32Array): void {
    const end = 2 * this.rows + keys.length;
    if (end > this.#keys.length) {
      const larger = new Uint32Array(Math.max(end, 2 * this.#keys.length));
      larger.set(this.#keys);
      this.#keys = larger;
    }
    this.#keys.set(keys, 2 * this.rows);
    this.rows += keys.length / 2;
  }

  async #cutTear(disk: Disk): Promise<void> {
    if (!this.#isTorn) return;
    await disk.truncate(this.#fd, this.bytes);
    this.#isTorn = false;
  }
}

async function sealFile(
  segment: SealedSegment,
  keys: Uint32Array,
  keepKeys: KeepKeys,
): Promise<SealedSegment> {
  await keepKeys(keys);
  const { name, rows, bytes, openedAtMs } = segment;
  const path = segment.path.replace(/\.open$/, `.${rows}.log`);
  await rename(segment.path, path);
  return { name, path, rows, bytes, openedAtMs };
}

/** The content of a sealed segment file. */
export interface SegmentContent {
  readonly lines: Buffer;
  readonly contactLines: Buffer;
  /** Number of bytes from the first damaged record on: 0 unless the disk is failing. */
  readonly damagedBytes: number;
}

/**
 * Reads the rows of a sealed segment file, all lines of events in one buffer. Synchronous: to be called on a
 * thread that does nothing else.
 * @param buffer reused for the lines if it is large enough: a full block has about 10 MB, and allocating a
 * new buffer each time costs more than reading
 */
export function readSegment(
  { path, bytes }: Pick<SealedSegment, "path" | "bytes">,
  buffer: Buffer = NO_BUFFER,
): SegmentContent {
  const content = buffer.length < bytes ? Buffer.allocUnsafe(bytes) : buffer.subarray(0, bytes);
  const fd = openSync(path, "r");
  try {
    const readBytes = readSync(fd, content, 0, bytes, 0);
    const contacts: Buffer[] = [];
    let linesEnd = 0;
    // The lines are moved together within the same buffer, because a copy of a block would take another 10
    // MB.
    const goodBytes = walkRecords(content.subarray(0, readBytes), ({ linesAt, contactsAt, end }) => {
      if (end > contactsAt) contacts.push(Buffer.from(content.subarray(contactsAt, end)));
      content.copyWithin(linesEnd, linesAt, contactsAt);
      linesEnd += contactsAt - linesAt;
    });
    return {
      lines: content.subarray(0, linesEnd),
      contactLines: Buffer.concat(contacts),
      damagedBytes: bytes - goodBytes,
    };
  } finally {
    closeSync(fd);
  }
}

function joinKeys(parts: readonly Uint32Array[]): Uint32Array {
  const joined = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
