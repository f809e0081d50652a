/** Reads and writes files of sorted dedupe keys. */
import { closeSync, openSync, readSync } from "node:fs";
import { open, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { flushFolder } from "./disk.ts";
import { frameRecord, HEADER_BYTES, KEY_BYTES, scanKeys } from "./record.ts";

const PAGE_KEYS = 512;

/**
 * An immutable file of sorted keys: one record without lines. For every 4 KiB page, the second word of its
 * first key is in memory, so that a look-up usually needs one disk read.
 */
export interface KeyFile {
  /** The running hour in which the file's keys were kept (running-hours.ts). */
  readonly hour: number;
  readonly count: number;
  has(hi: number, lo: number): boolean;
  readKeys(): Promise<Uint32Array>;
  drop(): Promise<void>;
  close(): void;
}

/** Sorts the keys in place and writes them to a file. Resolves once the file is durable. */
export async function writeKeyFile(
  dir: string,
  name: string,
  hour: number,
  keys: Uint32Array<ArrayBuffer>,
): Promise<KeyFile> {
  // Sorts by the second word, then by the first, which is the low half of each 64-bit integer.
  new BigUint64Array(keys.buffer).sort();
  const path = join(dir, name);
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(frameRecord(keys));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  await flushFolder(dir);
  return keyFile(path, hour, keys);
}

/** Opens a file made by `writeKeyFile`; undefined if it is damaged. */
export async function openKeyFile(path: string, hour: number): Promise<KeyFile | undefined> {
  const keys = await readKeys(path);
  return keys === undefined ? undefined : keyFile(path, hour, keys);
}

async function readKeys(path: string): Promise<Uint32Array | undefined> {
  return scanKeys(await readFile(path)).keys[0];
}

function keyFile(path: string, hour: number, keys: Uint32Array): KeyFile {
  const count = keys.length / 2;
  const pageStarts = new Uint32Array(Math.ceil(count / PAGE_KEYS));
  for (let page = 0; page < pageStarts.length; page++) pageStarts[page] = keys[2 * page * PAGE_KEYS + 1] ?? 0;
  const fd = openSync(path, "r");
  const close = (): void => closeSync(fd);
  return {
    hour,
    count,
    has: (hi, lo) => {
      for (let page = firstPageFor(pageStarts, lo); page < pageStarts.length; page++) {
        if ((pageStarts[page] ?? 0) > lo) return false;
        if (pageHas(fd, page, count, hi, lo)) return true;
      }
      return false;
    },
    readKeys: async () => (await readKeys(path)) ?? new Uint32Array(0),
    drop: async () => {
      close();
      await unlink(path);
    },
    close,
  };
}

/**
 * Returns the last page whose first key has a second word below `lo`, or the first page if there is none.
 * Keys with this `lo` may begin there and continue on the next pages.
 */
function firstPageFor(pageStarts: Uint32Array, lo: number): number {
  let from = 0;
  let to = pageStarts.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((pageStarts[middle] ?? 0) < lo) from = middle + 1;
    else to = middle;
  }
  return Math.max(0, from - 1);
}

const page = Buffer.alloc(PAGE_KEYS * KEY_BYTES);

function pageHas(fd: number, index: number, count: number, hi: number, lo: number): boolean {
  const keys = Math.min(PAGE_KEYS, count - index * PAGE_KEYS);
  readSync(fd, page, 0, keys * KEY_BYTES, HEADER_BYTES + index * PAGE_KEYS * KEY_BYTES);
  for (let key = 0; key < keys; key++) {
    if (page.readUInt32LE(key * KEY_BYTES + 4) === lo && page.readUInt32LE(key * KEY_BYTES) === hi)
      return true;
  }
  return false;
}
