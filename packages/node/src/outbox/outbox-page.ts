/** Reads an outbox for display: its messages, newest first, one page at a time, and how many there are. */
import { basename } from "node:path";
import { tryParseJson } from "@candor/envelope/unknown-value";
import type { Source } from "../scope.ts";
import { countLines, listOutboxFiles, type OutboxFile, openForReading, readBytes } from "./outbox-file.ts";

const DEFAULT_LIMIT = 100;
export const MAX_PAGE_MESSAGES = 1000;
/**
 * Limits how much of a file is read for a page, and the size of a page. The SDK's files are smaller, unless
 * the product sets a larger `maxOutboxBytes`. A line longer than this is not a message, and the lines before
 * it are not shown.
 */
const MAX_PIECE_BYTES = 8 * 1024 * 1024;
const ENDING = ".ndjson";
const LINE_BREAK = 10;

/** One message in the outbox. */
export interface OutboxMessage {
  readonly state: "sent" | "waiting";
  readonly source: Source;
  /** The text of the line as it is sent. */
  readonly line: string;
  /** The line parsed as JSON; null if it is not JSON. */
  readonly message: unknown;
}

export interface OutboxPage {
  /** The messages of the page, newest first. */
  readonly messages: readonly OutboxMessage[];
  /** Pass it as `before` to read the next page; undefined if this is the last page. */
  readonly next: string | undefined;
}

export interface OutboxPageOptions {
  /** Maximum number of messages, 1 to 1000. @default 100 */
  readonly limit?: number | undefined;
  /** The `next` of the previous page. @default the newest messages */
  readonly before?: string | undefined;
}

/**
 * Counts of whole lines. A line that was being written when its process was killed counts only in the numbers
 * of bytes.
 */
export interface OutboxTotals {
  readonly files: number;
  readonly bytes: number;
  readonly waiting: { readonly messages: number; readonly bytes: number };
  readonly sent: { readonly messages: number; readonly bytes: number };
}

/**
 * Reads messages from the ends of the files, at most 8 MiB of each file. The messages are ordered by their
 * own times, provided that each file is in that order. Files deleted in the meantime are skipped. A missing
 * outbox has no messages.
 * @returns undefined if `before` is not the `next` of a page
 */
export async function readOutboxPage(
  outbox: string,
  { limit = DEFAULT_LIMIT, before }: OutboxPageOptions = {},
): Promise<OutboxPage | undefined> {
  const place = before === undefined ? NEWEST : readPlace(before);
  if (place === undefined) return undefined;
  const most = Math.min(Math.max(Math.trunc(limit) || 1, 1), MAX_PAGE_MESSAGES);
  const files = (await listOutboxFiles(outbox))
    .filter((file) => place.unread.has(nameOf(file)) || file.begunAtMs <= place.untilMs)
    .sort((one, other) => latestOf(other) - latestOf(one));
  let lines: readonly Line[] = [];
  /** Messages older than this belong to a later page, because newer messages may not have been read yet. */
  let horizonMs = Number.NEGATIVE_INFINITY;
  for (const file of files) {
    if (latestOf(file) < horizonMs) break;
    const tail = await readTail(file, most, place.unread.get(nameOf(file))).catch(() => NOTHING);
    const merged = [...lines, ...tail.lines].sort((one, other) => other.timeMs - one.timeMs);
    const fitting = countFitting(merged, most);
    horizonMs = Math.max(horizonMs, tail.readBackToMs, merged[fitting]?.timeMs ?? horizonMs);
    lines = merged.slice(0, fitting).filter(({ timeMs }) => timeMs >= horizonMs);
  }
  const isLast = horizonMs === Number.NEGATIVE_INFINITY;
  return {
    messages: lines.map(({ message }) => message),
    next: isLast ? undefined : writePlace(files, placeBehind(lines, place)),
  };
}

/**
 * Counts the messages of an outbox. Reads all of it, one chunk at a time. Never rejects: files that cannot be
 * read count as empty.
 */
export async function countOutbox(outbox: string): Promise<OutboxTotals> {
  const files = await listOutboxFiles(outbox);
  let bytes = 0;
  const sent = { messages: 0, bytes: 0 };
  const waiting = { messages: 0, bytes: 0 };
  for (const { path, sizeBytes, sentBytes } of files) {
    bytes += sizeBytes;
    sent.bytes += sentBytes;
    waiting.bytes += sizeBytes - sentBytes;
    sent.messages += await countLines(path, 0, sentBytes).catch(() => 0);
    waiting.messages += await countLines(path, sentBytes, sizeBytes).catch(() => 0);
  }
  return { files: files.length, bytes, waiting, sent };
}

/** A message and its position in its file. */
interface Line {
  readonly message: OutboxMessage;
  /** The file's name, without its extension. */
  readonly name: string;
  readonly fromByte: number;
  readonly bytes: number;
  /**
   * The time that the message is sorted by, epoch milliseconds; at most that of the next line in its file.
   */
  readonly timeMs: number;
}

interface Tail {
  /** The lines read, newest first. */
  readonly lines: readonly Line[];
  /** The time of the oldest line read; negative infinity if no earlier line is left. */
  readonly readBackToMs: number;
}

const NOTHING: Tail = { lines: [], readBackToMs: Number.NEGATIVE_INFINITY };

/** Reads the last messages of a file, or the last ones before an offset. @throws a file system error */
async function readTail(file: OutboxFile, most: number, unreadBytes = file.sizeBytes): Promise<Tail> {
  const toByte = Math.min(unreadBytes, file.sizeBytes);
  const fromByte = Math.max(0, toByte - MAX_PIECE_BYTES);
  const piece = await readPiece(file.path, fromByte, toByte - fromByte);
  const lines: Line[] = [];
  let timeMs = latestOf(file);
  // The text after the last line break is not a complete line yet.
  let end = piece.lastIndexOf(LINE_BREAK);
  while (end !== -1 && lines.length < most) {
    const begin = end === 0 ? 0 : piece.lastIndexOf(LINE_BREAK, end - 1) + 1;
    if (begin === 0 && fromByte > 0) break; // the line begins before this chunk
    const line = piece.toString("utf8", begin, end);
    const message = tryParseJson(line) ?? null;
    timeMs = Math.max(file.begunAtMs, Math.min(timeMs, timeOf(message)));
    const state = fromByte + end < file.sentBytes ? "sent" : "waiting";
    lines.push({
      message: { state, source: file.source, line, message },
      name: nameOf(file),
      fromByte: fromByte + begin,
      bytes: end - begin,
      timeMs,
    });
    end = begin - 1;
  }
  const isWhole = fromByte + end < 0;
  return isWhole || lines.length === 0 ? { ...NOTHING, lines } : { lines, readBackToMs: timeMs };
}

async function readPiece(path: string, fromByte: number, length: number): Promise<Buffer> {
  const file = await openForReading(path);
  try {
    return await readBytes(file, fromByte, length);
  } finally {
    await file.close();
  }
}

/** How many lines fit on a page: always at least the first line, however long. */
function countFitting(lines: readonly Line[], most: number): number {
  let bytes = 0;
  const tooMuchAt = lines.findIndex((line, index) => {
    bytes += line.bytes;
    return index > 0 && bytes > MAX_PIECE_BYTES;
  });
  return tooMuchAt === -1 ? most : Math.min(tooMuchAt, most);
}

/** Where a page ends: the oldest time on it, and how far back each file was read. */
interface Place {
  readonly untilMs: number;
  /**
   * How many bytes, from the start of each file, have not been returned yet. The keys are file names without
   * the extension.
   */
  readonly unread: ReadonlyMap<string, number>;
}

const NEWEST: Place = { untilMs: Number.POSITIVE_INFINITY, unread: new Map() };

function placeBehind(lines: readonly Line[], { untilMs, unread }: Place): Place {
  return {
    untilMs: Math.min(untilMs, lines.at(-1)?.timeMs ?? untilMs),
    unread: new Map([...unread, ...lines.map(({ name, fromByte }): [string, number] => [name, fromByte])]),
  };
}

/**
 * Encodes where a page ends. Files begun after its oldest time were read completely, so they need no offset.
 */
function writePlace(files: readonly OutboxFile[], { untilMs, unread }: Place): string {
  const places = files.flatMap((file) => {
    const bytes = file.begunAtMs <= untilMs ? unread.get(nameOf(file)) : undefined;
    return bytes === undefined ? [] : [`${nameOf(file)}.${bytes}`];
  });
  return [String(untilMs), ...places].join("~");
}

function readPlace(text: string): Place | undefined {
  if (!/^\d{1,15}(?:~[0-9A-Za-z-]+\.\d{1,15})*$/.test(text)) return undefined;
  const [untilMs, ...read] = text.split("~");
  const unread = read.map((entry): [string, number] => {
    const [name = "", bytes] = entry.split(".");
    return [name, Number(bytes)];
  });
  return { untilMs: Number(untilMs), unread: new Map(unread) };
}

function nameOf({ path }: OutboxFile): string {
  return basename(path, ENDING);
}

function latestOf({ writtenAtMs, begunAtMs }: OutboxFile): number {
  return Math.max(Math.floor(writtenAtMs), begunAtMs);
}

function timeOf(message: unknown): number {
  const isDated = typeof message === "object" && message !== null && "timestamp" in message;
  const timeMs =
    isDated && typeof message.timestamp === "string" ? Date.parse(message.timestamp) : Number.NaN;
  return Number.isNaN(timeMs) ? Number.POSITIVE_INFINITY : timeMs;
}
