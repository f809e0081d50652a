/** Encodes the position between two pages of events. */

/** The position after which a page begins: the last event of the previous page. */
export interface Cursor {
  readonly receivedAtMs: number;
  readonly sequence: number;
  readonly messageId: string;
  readonly source: string;
}

/** The latest time that a cursor may contain: early enough for the store to hold it. */
const MAX_TIME_MS = Date.UTC(2200, 0, 1);
const MAX_SEQUENCE = 2 ** 32 - 1;
const MAX_TEXT_LENGTH = 1024;

/**
 * Encodes the position after a row.
 * @param row a row of a query that returns `receivedAtMs`, `sequence`, `messageId` and `source`
 */
export function encodeCursor(row: Record<string, unknown>): string {
  const place = [Number(row.receivedAtMs), Number(row.sequence), row.messageId, row.source];
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** Returns undefined if the text is not a cursor. */
export function parseCursor(text: string): Cursor | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    if (!Array.isArray(value)) return undefined;
    const [receivedAtMs, sequence, messageId, source] = value;
    if (!isWhole(receivedAtMs, MAX_TIME_MS) || !isWhole(sequence, MAX_SEQUENCE)) return undefined;
    return isName(messageId) && isName(source) ? { receivedAtMs, sequence, messageId, source } : undefined;
  } catch {
    return undefined;
  }
}

function isWhole(value: unknown, most: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most;
}

/** Whether the value is a text that can be sent to the store. An unpaired surrogate cannot. */
function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT_LENGTH && !/\p{Surrogate}/u.test(value);
}
