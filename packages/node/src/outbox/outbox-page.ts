/** Reads an outbox for showing: its messages, newest first, a page at a time, and their number. */
import { basename } from "node:path";
import { tryParseJson } from "@candor/envelope/unknown-value";
import type { Source } from "../scope.ts";
import { countLines, listOutboxFiles, type OutboxFile, openForReading, readBytes } from "./outbox-file.ts";

const DEFAULT_LIMIT = 100;
export const MAX_PAGE_MESSAGES = 1000;
/**
 * Limit on what is read of a file for a page, and on a page. The SDK's files are smaller, unless an operator wants a
 * larger outbox. A longer line is not a message, and what precedes it is not shown.
 */
const MAX_PIECE_BYTES = 8 * 1024 * 1024;
const ENDING = ".ndjson";
const LINE_BREAK = 10;

/** One message in the outbox. */
export interface OutboxMessage {
  readonly state: "sent" | "waiting";
  readonly source: Source;
  /** The bytes that are sent, as text. */
  readonly line: string;
  /** The line parsed as JSON; null if it is not JSON. */
  readonly message: unknown;
}

export interface OutboxPage {
  /** Newest first. */
  readonly messages: readonly OutboxMessage[];
  /** `before` of the next page; undefined if this is the last one. */
  readonly next: string | undefined;
}

export interface OutboxPageOptions {
  /** Maximum number of messages, 1 to 1000. @default 100 */
  readonly limit?: number | undefined;
  /** `next` of the previous page. @default the newest */
  readonly before?: string | undefined;
}

/** Messages are whole lines: one that was being written when its process was killed counts only in `bytes`. */
export interface OutboxTotals {
  readonly files: number;
  readonly bytes: number;
  readonly waiting: { readonly messages: number; readonly bytes: number };
  readonly sent: { readonly messages: number; readonly bytes: number };
}

/**
 * Reads messages from the end of one file after the other, at most 8 MiB of each. They are ordered by their own
 * times, as far as each file is. Files deleted meanwhile are skipped; a missing outbox is empty.
 * @returns undefined if `before` does not come from a page
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
  /** // Older messages belong to another page: a newer one may not have been read yet. */
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

/** Counts an outbox. Reads all of it, a chunk at a time. Never rejects: what cannot be read counts as nothing. */
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

/** A message in its file. */
interface Line {
  readonly message: OutboxMessage;
  /** The file's name. */
  readonly name: string;
  readonly fromByte: number;
  readonly bytes: number;
  /** When it happened; never later than the next line in its file. */
  readonly timeMs: number;
}

interface Tail {
  /** Newest first. */
  readonly lines: readonly Line[];
  /** The time of the oldest one, if there may be more before it. */
  readonly readBackToMs: number;
}

const NOTHING: Tail = { lines: [], readBackToMs: Number.NEGATIVE_INFINITY };

/** The last messages of a file, or of what precedes a byte. @throws a file system error */
async function readTail(file: OutboxFile, most: number, unreadBytes = file.sizeBytes): Promise<Tail> {
  const toByte = Math.min(unreadBytes, file.sizeBytes);
  const fromByte = Math.max(0, toByte - MAX_PIECE_BYTES);
  const piece = await readPiece(file.path, fromByte, toByte - fromByte);
  const lines: Line[] = [];
  let timeMs = latestOf(file);
  // The text after the last line break is not complete yet.
  let end = piece.lastIndexOf(LINE_BREAK);
  while (end !== -1 && lines.length < most) {
    const begin = end === 0 ? 0 : piece.lastIndexOf(LINE_BREAK, end - 1) + 1;
    if (begin === 0 && fromByte > 0) break; // its beginning is not in this chunk
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

/** How many lines a page takes: always the first one, however long. */
function countFitting(lines: readonly Line[], most: number): number {
  let bytes = 0;
  const tooMuchAt = lines.findIndex((line, index) => {
    bytes += line.bytes;
    return index > 0 && bytes > MAX_PIECE_BYTES;
  });
  return tooMuchAt === -1 ? most : Math.min(tooMuchAt, most);
}

/** Where a page ends: the oldest time in it, and how far the files that may go back further were read. */
interface Place {
  readonly untilMs: number;
  /** By the file's name, without its extension: bytes from its beginning that have not been returned yet. */
  readonly unread: ReadonlyMap<string, number>;
}

const NEWEST: Place = { untilMs: Number.POSITIVE_INFINITY, unread: new Map() };

function placeBehind(lines: readonly Line[], { untilMs, unread }: Place): Place {
  return {
    untilMs: Math.min(untilMs, lines.at(-1)?.timeMs ?? untilMs),
    unread: new Map([...unread, ...lines.map(({ name, fromByte }): [string, number] => [name, fromByte])]),
  };
}

/** Files that were begun later were read completely, so they need no position. */
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
