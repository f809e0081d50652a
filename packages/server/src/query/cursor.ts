/** The place behind which a page begins: the last event of the page before. */
export interface Cursor {
  readonly receivedAtMs: number;
  readonly messageId: string;
  readonly source: string;
}

/** Times that the store can hold. */
const MAX_TIME_MS = Date.UTC(2200, 0, 1);
const MAX_TEXT_LENGTH = 1024;

/** @param row of a query that gives `receivedAtMs`, `messageId` and `source` */
export function encodeCursor(row: Record<string, unknown>): string {
  return Buffer.from(JSON.stringify([Number(row.receivedAtMs), row.messageId, row.source])).toString(
    "base64url",
  );
}

/** Undefined for a text that is no cursor. */
export function parseCursor(text: string): Cursor | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    if (!Array.isArray(value)) return undefined;
    const [receivedAtMs, messageId, source] = value;
    if (!isTime(receivedAtMs) || !isName(messageId) || !isName(source)) return undefined;
    return { receivedAtMs, messageId, source };
  } catch {
    return undefined;
  }
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value < MAX_TIME_MS;
}

/** Half of a surrogate pair cannot be sent to the store. */
function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT_LENGTH && !/\p{Surrogate}/u.test(value);
}
