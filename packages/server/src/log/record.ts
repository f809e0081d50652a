import { crc32 } from "node:zlib";

/**
 * A record is what one request appended: a 20-byte header (magic, rows, bytes of lines, bytes of contact lines, CRC-32 of
 * what follows; all little-endian words), the 8-byte dedupe keys of its rows, its rows as lines that end in "\n", and the
 * contacts that were taken out of them, as lines too. The lines are ready for the store: the drain reads them out and
 * concatenates. The magic names the columns of the lines (ROW_FORMATS); a record of format 1 has no contacts, and a
 * header without their word.
 */
const MAGIC_OF_FORMAT_1 = 0x31_52_44_43; // "CDR1"
const MAGIC = 0x32_52_44_43; // "CDR2"
const HEADER_BYTES_OF_FORMAT_1 = 16;
const HEADER_BYTES = 20;
const KEY_BYTES = 8;

/** The format of the lines: which columns they have. */
export type RowFormat = 1 | 2;

export interface Record {
  readonly format: RowFormat;
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
export function frameRecord(keys: Uint32Array, lines: string, contactLines = ""): Buffer {
  const linesAt = HEADER_BYTES + keys.byteLength;
  const lineBytes = Buffer.byteLength(lines);
  const contactBytes = Buffer.byteLength(contactLines);
  const record = Buffer.allocUnsafe(linesAt + lineBytes + contactBytes);
  record.write(lines, linesAt, "utf8");
  record.write(contactLines, linesAt + lineBytes, "utf8");
  record.writeUInt32LE(contactBytes, 12);
  return seal(record, MAGIC, HEADER_BYTES, keys, lineBytes);
}

/** Frames keys alone, for the files that remember them: a record of format 1 without lines. */
export function frameKeys(keys: Uint32Array): Buffer {
  const record = Buffer.allocUnsafe(HEADER_BYTES_OF_FORMAT_1 + keys.byteLength);
  return seal(record, MAGIC_OF_FORMAT_1, HEADER_BYTES_OF_FORMAT_1, keys, 0);
}

function seal(
  record: Buffer,
  magic: number,
  headerBytes: number,
  keys: Uint32Array,
  lineBytes: number,
): Buffer {
  record.set(new Uint8Array(keys.buffer, keys.byteOffset, keys.byteLength), headerBytes);
  record.writeUInt32LE(magic, 0);
  record.writeUInt32LE(keys.length / 2, 4);
  record.writeUInt32LE(lineBytes, 8);
  record.writeUInt32LE(crc32(record.subarray(headerBytes)), headerBytes - 4);
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
  return [MAGIC, MAGIC_OF_FORMAT_1].some((word) => {
    const magic = Buffer.alloc(4);
    magic.writeUInt32LE(word);
    for (let at = buffer.indexOf(magic, from + 1); at >= 0; at = buffer.indexOf(magic, at + 1)) {
      if (readRecord(buffer, at) !== undefined) return true;
    }
    return false;
  });
}

function readRecord(buffer: Buffer, at: number): Record | undefined {
  if (at + HEADER_BYTES_OF_FORMAT_1 > buffer.length) return undefined;
  const magic = buffer.readUInt32LE(at);
  if (magic !== MAGIC && magic !== MAGIC_OF_FORMAT_1) return undefined;
  const format = magic === MAGIC ? 2 : 1;
  const headerBytes = format === 2 ? HEADER_BYTES : HEADER_BYTES_OF_FORMAT_1;
  if (at + headerBytes > buffer.length) return undefined;
  const rows = buffer.readUInt32LE(at + 4);
  const linesAt = at + headerBytes + rows * KEY_BYTES;
  const contactsAt = linesAt + buffer.readUInt32LE(at + 8);
  const end = contactsAt + (format === 2 ? buffer.readUInt32LE(at + 12) : 0);
  if (end > buffer.length) return undefined;
  const crc = buffer.readUInt32LE(at + headerBytes - 4);
  if (crc32(buffer.subarray(at + headerBytes, end)) !== crc) return undefined;
  const keys = new Uint32Array(2 * rows); // copied: a Uint32Array must be aligned, a slice of a file need not be
  new Uint8Array(keys.buffer).set(buffer.subarray(at + headerBytes, linesAt));
  const lines = buffer.subarray(linesAt, contactsAt);
  return { format, rows, keys, lines, contactLines: buffer.subarray(contactsAt, end), end };
}
