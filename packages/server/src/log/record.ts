/** Frames rows and dedupe keys as records, and reads records back. */
import { crc32 } from "node:zlib";

const MAGIC = 0x52_44_4e_43; // "CNDR"
export const HEADER_BYTES = 20;
export const KEY_BYTES = 8;

/**
 * Frames rows as one record: a 20-byte header, the 8-byte dedupe keys of the rows, the rows as lines, and the
 * contacts that were removed from the rows, also as lines. The header is five little-endian 32-bit words: a
 * magic number, the number of rows, the bytes of lines, the bytes of contact lines, and a CRC-32 of
 * everything after the header.
 * @param keys two words per row
 * @param lines ready for the store; like `contactLines`, either empty or ending in "\n"
 */
export function frameRecord(keys: Uint32Array, lines = "", contactLines = ""): Buffer {
  const linesAt = HEADER_BYTES + keys.byteLength;
  const lineBytes = Buffer.byteLength(lines);
  const contactBytes = Buffer.byteLength(contactLines);
  const record = Buffer.allocUnsafe(linesAt + lineBytes + contactBytes);
  // Written word by word: creating a byte view would move a small typed array out of the heap, which costs
  // more.
  for (let at = 0; at < keys.length; at++) record.writeUInt32LE(keys[at] ?? 0, HEADER_BYTES + 4 * at);
  record.write(lines, linesAt, "utf8");
  record.write(contactLines, linesAt + lineBytes, "utf8");
  record.writeUInt32LE(MAGIC, 0);
  record.writeUInt32LE(keys.length / 2, 4);
  record.writeUInt32LE(lineBytes, 8);
  record.writeUInt32LE(contactBytes, 12);
  record.writeUInt32LE(crc32(record.subarray(HEADER_BYTES)), 16);
  return record;
}

/** The positions of a record's parts in its buffer. The lines end where the contact lines begin. */
export interface RecordPlaces {
  readonly rows: number;
  readonly keysAt: number;
  readonly linesAt: number;
  readonly contactsAt: number;
  /** Where the next record begins. */
  readonly end: number;
}

/**
 * Visits records until the end of the buffer, or until the first record that is incomplete or damaged. The
 * visitor may overwrite anything before the end of the record that it visits.
 * @returns where the last visited record ends; any bytes after it are torn, or begin with damage
 */
export function walkRecords(buffer: Buffer, visit: (places: RecordPlaces) => void): number {
  let at = 0;
  for (;;) {
    const places = findParts(buffer, at);
    if (places === undefined) return at;
    visit(places);
    at = places.end;
  }
}

/**
 * Returns the dedupe keys of each record that `walkRecords` visits, two words per row, and the position at
 * which the last one ends.
 */
export function scanKeys(buffer: Buffer): {
  readonly keys: readonly Uint32Array[];
  readonly goodBytes: number;
} {
  const keys: Uint32Array[] = [];
  const goodBytes = walkRecords(buffer, ({ rows, keysAt, linesAt }) => {
    // Copied, because a Uint32Array must be aligned and a slice of a file may not be.
    const words = new Uint32Array(2 * rows);
    new Uint8Array(words.buffer).set(buffer.subarray(keysAt, linesAt));
    keys.push(words);
  });
  return { keys, goodBytes };
}

/**
 * Whether any whole record follows after `from`. If so, the bytes at `from` are damaged, and not just a torn
 * end.
 */
export function hasRecordBehind(buffer: Buffer, from: number): boolean {
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(MAGIC);
  for (let at = buffer.indexOf(magic, from + 1); at >= 0; at = buffer.indexOf(magic, at + 1)) {
    if (findParts(buffer, at) !== undefined) return true;
  }
  return false;
}

/** Returns the positions of the record at `at`; undefined if there is no whole record. */
function findParts(buffer: Buffer, at: number): RecordPlaces | undefined {
  if (at + HEADER_BYTES > buffer.length || buffer.readUInt32LE(at) !== MAGIC) return undefined;
  const rows = buffer.readUInt32LE(at + 4);
  const keysAt = at + HEADER_BYTES;
  const linesAt = keysAt + rows * KEY_BYTES;
  const contactsAt = linesAt + buffer.readUInt32LE(at + 8);
  const end = contactsAt + buffer.readUInt32LE(at + 12);
  if (end > buffer.length) return undefined;
  const isWhole = crc32(buffer.subarray(keysAt, end)) === buffer.readUInt32LE(at + 16);
  return isWhole ? { rows, keysAt, linesAt, contactsAt, end } : undefined;
}
