import { basename } from "node:path";
import { parseJson } from "../json.ts";
import { BackwardLines, type FileLine } from "./backward-lines.ts";
import { countLines, listOutboxFiles, type OutboxFile } from "./outbox-file.ts";
import type { Source } from "./outbox-name.ts";

const DEFAULT_LIMIT = 100;
export const MAX_PAGE_MESSAGES = 1000;
const ENDING = ".ndjson";

/** One message, as it lies in the outbox. */
export interface OutboxMessage {
  readonly state: "sent" | "waiting";
  readonly source: Source;
  /** The bytes that are sent, as text. */
  readonly line: string;
  /** The line, read as JSON; null when it is none. */
  readonly message: unknown;
}

export interface OutboxPage {
  /** Newest first. */
  readonly messages: readonly OutboxMessage[];
  /** `before` of the page that follows; undefined: this is the last one. */
  readonly next: string | undefined;
}

export interface OutboxPageOptions {
  /** Messages, 1 to 1000. @default 100 */
  readonly limit?: number | undefined;
  /** `next` of the page before this one. @default the newest */
  readonly before?: string | undefined;
}

/** Messages are whole lines: what was being written when its process was killed counts in `bytes` alone. */
export interface OutboxTotals {
  readonly files: number;
  readonly bytes: number;
  readonly waiting: { readonly messages: number; readonly bytes: number };
  readonly sent: { readonly messages: number; readonly bytes: number };
}

/**
 * Reads messages from the ends of the files, never a whole file. They are in the order of their own times, as far as each file
 * is. A file that is deleted meanwhile is passed over; an outbox that is not there is empty.
 * @returns undefined when `before` is not what a page gave
 */
export async function readOutboxPage(
  outbox: string,
  { limit = DEFAULT_LIMIT, before }: OutboxPageOptions = {},
): Promise<OutboxPage | undefined> {
  const place = before === undefined ? NEWEST : readPlace(before);
  if (place === undefined) return undefined;
  const tails = (await listOutboxFiles(outbox)).flatMap((file) => toTail(file, place));
  const most = Math.min(Math.max(Math.trunc(limit) || 1, 1), MAX_PAGE_MESSAGES);
  const messages: OutboxMessage[] = [];
  let { untilMs } = place;
  for (let tail = await openNewest(tails); tail !== undefined; tail = await openNewest(tails)) {
    if (messages.length === most) return { messages, next: writePlace(tails, untilMs) };
    messages.push(tail.head);
    untilMs = Math.min(untilMs, tail.timeMs);
    await tail.advance();
  }
  return { messages, next: undefined };
}

/** Counts an outbox. Reads all of it, a piece at a time. Never rejects: what cannot be read counts as nothing. */
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

/** Where a page ends: the oldest time in it, and how far files were read that may reach behind that. */
interface Place {
  readonly untilMs: number;
  /** By the file's name, without its ending: where what was read begins. */
  readonly bytes: ReadonlyMap<string, number>;
}

const NEWEST: Place = { untilMs: Number.POSITIVE_INFINITY, bytes: new Map() };

/** Files that were begun later were read to their beginnings, so they need no place. */
function writePlace(tails: readonly Tail[], untilMs: number): string {
  const read = tails.filter(({ file, isRead }) => isRead && file.begunAtMs <= untilMs);
  return [String(untilMs), ...read.map(({ name, unreadBytes }) => `${name}.${unreadBytes}`)].join("~");
}

function readPlace(text: string): Place | undefined {
  if (!/^\d{1,15}(?:~[0-9A-Za-z-]+\.\d{1,15})*$/.test(text)) return undefined;
  const [untilMs, ...read] = text.split("~");
  const bytes = read.map((entry): [string, number] => {
    const [name = "", unread] = entry.split(".");
    return [name, Number(unread)];
  });
  return { untilMs: Number(untilMs), bytes: new Map(bytes) };
}

function toTail(file: OutboxFile, { untilMs, bytes }: Place): readonly Tail[] {
  const unread = bytes.get(nameOf(file));
  if (unread === undefined) return file.begunAtMs > untilMs ? [] : [new Tail(file, file.sizeBytes, false)];
  return [new Tail(file, Math.min(unread, file.sizeBytes), true)];
}

function nameOf({ path }: OutboxFile): string {
  return basename(path, ENDING);
}

/** Opens files until the one with the newest line is known. Undefined: there is no line left. */
async function openNewest(
  tails: readonly Tail[],
): Promise<(Tail & { readonly head: OutboxMessage }) | undefined> {
  for (;;) {
    let newest: Tail | undefined;
    for (const tail of tails) {
      if (!tail.isOver && (newest === undefined || tail.timeMs >= newest.timeMs)) newest = tail;
    }
    if (newest === undefined || hasHead(newest)) return newest;
    await newest.advance();
  }
}

function hasHead(tail: Tail): tail is Tail & { readonly head: OutboxMessage } {
  return tail.head !== undefined;
}

/** What is left of one file. It is opened only when its newest line may be the next one. */
class Tail {
  readonly file: OutboxFile;
  readonly name: string;
  /** When its newest line happened; as long as that is not read, a time that it cannot be later than. */
  timeMs: number;
  head: OutboxMessage | undefined;
  isOver = false;
  /** Whether a line of it was given, by this page or one before. */
  isRead: boolean;
  /** Bytes from its beginning that were not given yet. */
  unreadBytes: number;
  #lines: BackwardLines | undefined;
  #headFromByte = 0;

  constructor(file: OutboxFile, unreadBytes: number, isRead: boolean) {
    this.file = file;
    this.name = nameOf(file);
    this.timeMs = latestOf(file);
    this.unreadBytes = unreadBytes;
    this.isRead = isRead;
  }

  /** Gives away its newest line, when it is read, and reads the one before. */
  async advance(): Promise<void> {
    if (this.head !== undefined) {
      this.isRead = true;
      this.unreadBytes = this.#headFromByte;
    }
    const line = await this.#readPrevious().catch(() => undefined);
    if (line === undefined) {
      this.isOver = true;
      this.head = undefined;
      this.#lines = undefined;
      return;
    }
    const message = parseJson(line.text) ?? null;
    const state = line.toByte <= this.file.sentBytes ? "sent" : "waiting";
    this.#headFromByte = line.fromByte;
    this.head = { state, source: this.file.source, line: line.text, message };
    this.timeMs = Math.max(this.file.begunAtMs, Math.min(timeOf(message), latestOf(this.file)));
  }

  async #readPrevious(): Promise<FileLine | undefined> {
    this.#lines ??= await BackwardLines.open(this.file.path, this.unreadBytes);
    return await this.#lines.previous();
  }
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
