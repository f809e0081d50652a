/**
 * Writes ids and times in place into a prebuilt request, so that the load generator neither builds strings
 * nor serialises JSON while it measures.
 */

export const ID_BYTES = 36;

const HEX = Buffer.from("0123456789abcdef");
const MS_A_DAY = 86_400_000;

/** Writes the next messageId, 36 bytes, at the offset. */
export type IdWriter = (target: Buffer, offset: number) => void;

/**
 * Writes ids that look like random UUIDs, because compressible ids would make the disk figure too small. The
 * ids are unique by construction: the first word is a bijection of the counter and, for each first word, the
 * second word is a bijection of the tag. Two writers with different tags never write the same id, nor does
 * one writer within 2^32 ids.
 *
 * @param tag 32 bits, different for every connection of every process that sends to the same collector.
 */
export function idWriter(tag: number): IdWriter {
  let counter = 0;
  return (target, offset) => {
    const first = mix(counter++);
    const second = mix(first ^ tag);
    const third = mix(second ^ 0x9e3779b9);
    const fourth = mix(third ^ first);
    writeHex(target, offset, first, 8);
    writeHex(target, offset + 9, second >>> 16, 4);
    writeHex(target, offset + 15, third >>> 16, 3);
    writeHex(target, offset + 20, third, 3);
    writeHex(target, offset + 24, second, 4);
    writeHex(target, offset + 28, fourth, 8);
  };
}

/**
 * The tag of one connection of one process.
 * @param idPrefix up to 4 base-36 digits, different for every process
 * @param connection below 256
 * @throws RangeError if a parameter is out of range
 */
export function idTag(idPrefix: string, connection: number): number {
  const process = Number.parseInt(idPrefix, 36);
  if (!/^[0-9a-z]{1,4}$/.test(idPrefix) || connection >= 256)
    throw new RangeError("idPrefix or connection out of range");
  return process * 256 + connection;
}

/** murmur3's finaliser: a bijection of 32-bit words. */
function mix(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** Writes the lowest `digits` hex digits of the word. */
function writeHex(target: Buffer, offset: number, word: number, digits: number): void {
  for (let index = 0; index < digits; index++) {
    target[offset + index] = HEX[(word >>> (4 * (digits - 1 - index))) & 15] ?? 0;
  }
}

/** Writes a time such as `2026-01-31T12:34:56.789Z`, 24 bytes, at the offset. */
export type TimeWriter = (target: Buffer, offset: number, epochMs: number) => void;

export function timeWriter(): TimeWriter {
  let day = -1;
  let date = Buffer.alloc(10);
  return (target, offset, epochMs) => {
    const today = Math.floor(epochMs / MS_A_DAY);
    if (today !== day) {
      day = today;
      date = Buffer.from(new Date(epochMs).toISOString().slice(0, 10));
    }
    date.copy(target, offset);
    const ms = epochMs - today * MS_A_DAY;
    writeDecimal(target, offset + 11, Math.floor(ms / 3_600_000), 2);
    writeDecimal(target, offset + 14, Math.floor(ms / 60_000) % 60, 2);
    writeDecimal(target, offset + 17, Math.floor(ms / 1000) % 60, 2);
    writeDecimal(target, offset + 20, ms % 1000, 3);
  };
}

function writeDecimal(target: Buffer, offset: number, value: number, digits: number): void {
  let rest = value;
  for (let index = digits - 1; index >= 0; index--) {
    target[offset + index] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}
