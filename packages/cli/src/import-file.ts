/** Reads a file of messages, one JSON object a line, as batches for the collector. */
import { createHash } from "node:crypto";
import { toFields } from "@candor/node/operator";
import { SOURCES, type Source } from "@candor/server";

/** The collector takes 2,500 messages and 1 MiB; smaller batches let others in between. */
const MAX_MESSAGES = 500;
const MAX_BYTES = 500_000;
/** No message of that size would be kept, and a file that is not of lines must not fill the memory. */
const MAX_LINE_BYTES = 1_000_000;

export interface Batch {
  readonly source: Source;
  /** The messages as JSON. */
  readonly messages: readonly string[];
  /** How much of the file was read before the batch's last line ended, in bytes. */
  readonly readBytes: number;
}

/** A line that is no message, and why. */
export interface Unreadable {
  /** Counted from 1. */
  readonly line: number;
  readonly why: string;
}

/**
 * Reads messages in Segment's form, or as `candor export` writes them.
 * @param chunks the bytes of the file
 * @param otherwise the source of messages that do not name theirs
 * @param onUnreadable called for each line that is left out
 */
export async function* readBatches(
  chunks: AsyncIterable<Uint8Array>,
  otherwise: Source | undefined,
  onUnreadable: (unreadable: Unreadable) => void,
): AsyncGenerator<Batch> {
  const waiting = new Map<Source, { messages: string[]; bytes: number }>();
  let readBytes = 0;
  for await (const { text, number, endsAt } of readLines(chunks)) {
    readBytes = endsAt;
    if (text?.trim() === "") continue;
    const found = text === undefined ? "it is longer than a megabyte" : toMessage(text, otherwise);
    if (typeof found === "string") {
      onUnreadable({ line: number, why: found });
      continue;
    }
    const { source, message } = found;
    const batch = waiting.get(source) ?? { messages: [], bytes: 0 };
    batch.messages.push(message);
    batch.bytes += message.length;
    waiting.set(source, batch);
    if (batch.messages.length < MAX_MESSAGES && batch.bytes < MAX_BYTES) continue;
    waiting.delete(source);
    yield { source, messages: batch.messages, readBytes };
  }
  for (const [source, { messages }] of waiting) yield { source, messages, readBytes };
}

interface Line {
  /** Undefined if the line is too long. */
  readonly text: string | undefined;
  readonly number: number;
  readonly endsAt: number;
}

async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  let rest: Buffer = Buffer.alloc(0);
  let isTooLong = false;
  let number = 0;
  let endsAt = 0;
  const toLine = (bytes: Buffer): Line => {
    number += 1;
    const text = isTooLong || bytes.length > MAX_LINE_BYTES ? undefined : bytes.toString("utf8");
    isTooLong = false;
    return { text, number, endsAt };
  };
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10, start)) {
      endsAt += end + 1 - start;
      yield toLine(rest.subarray(start, end));
      start = end + 1;
    }
    rest = rest.subarray(start);
    if (rest.length <= MAX_LINE_BYTES) continue;
    endsAt += rest.length;
    rest = Buffer.alloc(0);
    isTooLong = true;
  }
  endsAt += rest.length;
  if (rest.length > 0 || isTooLong) yield toLine(rest);
}

/** What a message may have in Segment's form. `timestamp` is when it happened; the collector says when it came. */
const FIELDS = [
  ...["type", "event", "name", "category", "messageId", "timestamp", "userId", "anonymousId", "groupId"],
  ...["previousId", "properties", "traits", "context", "integrations"],
] as const;

const IDS = ["userId", "anonymousId", "groupId", "previousId"] as const;

/** @returns why the line is no message, as a text */
function toMessage(
  text: string,
  otherwise: Source | undefined,
): { readonly source: Source; readonly message: string } | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "it is not JSON";
  }
  const fields = toFields(value);
  if (fields === undefined) return "it is not a JSON object";
  const named = toFields(fields.candor)?.source;
  const source = SOURCES.find((one) => one === named) ?? otherwise;
  if (source === undefined) return "it names no source: give --source";
  const id = `import-${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
  const message = Object.fromEntries(
    FIELDS.filter((name) => Object.hasOwn(fields, name)).map((name) => [name, fields[name]]),
  );
  // An id made of the line, so that the collector recognises the message when the import is repeated.
  message.messageId ??= id;
  // The plan may have removed all ids of an exported event, and will do so again. Without one, it would be dropped.
  if (Object.hasOwn(fields, "candor") && IDS.every((name) => message[name] === undefined))
    message.anonymousId = id;
  return { source, message: JSON.stringify(message) };
}
