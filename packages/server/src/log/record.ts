import { crc32 } from "node:zlib";

/**
 * A record is what one request appended: a 20-byte header (magic, rows, bytes of lines, bytes of contact lines, CRC-32 of
 * what follows; all little-endian words), the 8-byte dedupe keys of its rows, its rows as lines that end in "\n", and the
 * contacts that were taken out of them, as lines too. The lines are ready for the store: the drain reads them out and
 * concatenates.
 */
const MAGIC = 0x52_44_4e_43; // "CNDR"
export const HEADER_BYTES = 20;
export const KEY_BYTES = 8;

export interface Record {
  readonly rows: number;
  /** Dedupe keys, two words a row. */
  readonly keys: Uint32Array;
  /** The rows, each line ending in "\n". */
  readonly lines: Buffer;
  readonly contactLines: Buffer;
  /** Where the next record begins. */
  readonly end: number;
}

/** Frames rows as one record. `keys` holds two words a row, `lines` and `contactLines` end in "\n" or are empty. */
export function frameRecord(keys: Uint32Array, lines = "", contactLines = ""): Buffer {
  const linesAt = HEADER_BYTES + keys.byteLength;
  const lineBytes = Buffer.byteLength(lines);
  const contactBytes = Buffer.byteLength(contactLines);
  const record = Buffer.allocUnsafe(linesAt + lineBytes + contactBytes);
  record.set(new Uint8Array(keys.buffer, keys.byteOffset, keys.byteLength), HEADER_BYTES);
  record.write(lines, linesAt, "utf8");
  record.write(contactLines, linesAt + lineBytes, "utf8");
  record.writeUInt32LE(MAGIC, 0);
  record.writeUInt32LE(keys.length / 2, 4);
  record.writeUInt32LE(lineBytes, 8);
  record.writeUInt32LE(contactBytes, 12);
  record.writeUInt32LE(crc32(record.subarray(HEADER_BYTES)), 16);
  return record;
}

export interface RecordScan {
  readonly records: readonly Record[];
  /** Where the last whole record ends; what is behind is torn or damaged. */
  readonly goodBytes: number;
}

/** Reads records until the end, or until the first that is not whole. Slices share the buffer's memory. */
export function scanRecords(buffer: Buffer): RecordScan {
  const records: Record[] = [];
  let at = 0;
  for (;;) {
    const record = readRecord(buffer, at);
    if (record === undefined) return { records, goodBytes: at };
    records.push(record);
    at = record.end;
  }
}

/** Whether a whole record stands anywhere behind `from`: then what is at `from` is damage, not a torn end. */
export function hasRecordBehind(buffer: Buffer, from: number): boolean {
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(MAGIC);
  for (let at = buffer.indexOf(magic, from + 1); at >= 0; at = buffer.indexOf(magic, at + 1)) {
    if (readRecord(buffer, at) !== undefined) return true;
  }
  return false;
}

function readRecord(buffer: Buffer, at: number): Record | undefined {
  if (at + HEADER_BYTES > buffer.length || buffer.readUInt32LE(at) !== MAGIC) return undefined;
  const rows = buffer.readUInt32LE(at + 4);
  const linesAt = at + HEADER_BYTES + rows * KEY_BYTES;
  const contactsAt = linesAt + buffer.readUInt32LE(at + 8);
  const end = contactsAt + buffer.readUInt32LE(at + 12);
  if (end > buffer.length) return undefined;
  const crc = buffer.readUInt32LE(at + 16);
  if (crc32(buffer.subarray(at + HEADER_BYTES, end)) !== crc) return undefined;
  const keys = new Uint32Array(2 * rows); // copied: a Uint32Array must be aligned, a slice of a file need not be
  new Uint8Array(keys.buffer).set(buffer.subarray(at + HEADER_BYTES, linesAt));
  const lines = buffer.subarray(linesAt, contactsAt);
  return { rows, keys, lines, contactLines: buffer.subarray(contactsAt, end), end };
}
