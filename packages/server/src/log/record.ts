/** Frames what one request appends to the log as a record. */
import { crc32 } from "node:zlib";

/**
 * A record is what one request appended: a 20-byte header (magic, rows, bytes of lines, bytes of contact lines,
 * CRC-32 of what follows; all little-endian words), the 8-byte dedupe keys of its rows, its rows as lines ending in
 * "\n", and the contacts that were taken out of them, as lines too. The lines are ready for the store: the drain
 * reads and concatenates them.
 */
const MAGIC = 0x52_44_4e_43; // "CNDR"
export const HEADER_BYTES = 20;
export const KEY_BYTES = 8;

/** Frames rows as one record. `keys` holds two words a row, `lines` and `contactLines` end in "\n" or are empty. */
export function frameRecord(keys: Uint32Array, lines = "", contactLines = ""): Buffer {
  const linesAt = HEADER_BYTES + keys.byteLength;
  const lineBytes = Buffer.byteLength(lines);
  const contactBytes = Buffer.byteLength(contactLines);
  const record = Buffer.allocUnsafe(linesAt + lineBytes + contactBytes);
  // Word by word: a view of its bytes would move a small array out of the heap, which costs more.
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

/** The positions of a record's parts in its buffer: the lines end where the contacts begin. */
export interface RecordPlaces {
  readonly rows: number;
  readonly keysAt: number;
  readonly linesAt: number;
  readonly contactsAt: number;
  /** Where the next record begins. */
  readonly end: number;
}

/**
 * Visits records until the end, or until the first that is not whole. The visitor may overwrite what precedes the end
 * of its record.
 * @returns where the last whole record ends; what follows is torn or damaged
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

/** The dedupe keys of each whole record, two words a row, and where the last of these records ends. */
export function scanKeys(buffer: Buffer): {
  readonly keys: readonly Uint32Array[];
  readonly goodBytes: number;
} {
  const keys: Uint32Array[] = [];
  const goodBytes = walkRecords(buffer, ({ rows, keysAt, linesAt }) => {
    const words = new Uint32Array(2 * rows); // copied: it must be aligned, and a slice of a file need not be
    new Uint8Array(words.buffer).set(buffer.subarray(keysAt, linesAt));
    keys.push(words);
  });
  return { keys, goodBytes };
}

/** Whether there is a whole record anywhere after `from`: then what is at `from` is damage, not a torn end. */
export function hasRecordBehind(buffer: Buffer, from: number): boolean {
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(MAGIC);
  for (let at = buffer.indexOf(magic, from + 1); at >= 0; at = buffer.indexOf(magic, at + 1)) {
    if (findParts(buffer, at) !== undefined) return true;
  }
  return false;
}

/** Undefined if there is no whole record. */
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
