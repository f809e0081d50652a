/** Shows messages to watchers as they arrive. */
import type { ServerResponse } from "node:http";
import { isObject } from "@candor/envelope";
import { CandorError } from "../errors.ts";
import type { PipelineDraft } from "../pipeline.ts";
import { withCandor } from "../query/events.ts";
import { type Filters, matches } from "../query/filters.ts";
import type { DropReason } from "../reasons.ts";

const HEARTBEAT = ": still here\n\n";
const HEARTBEAT_MS = 15_000;
/**
 * How many bytes may be buffered for a watcher. A watcher that reads too slowly misses messages, and is told
 * how many it missed.
 */
const MAX_WAITING_BYTES = 1024 * 1024;
/**
 * Limits the number of watchers, because the filters of each one run for every message, on the thread that
 * accepts messages.
 */
const MAX_WATCHERS = 20;

type Watcher = (draft: PipelineDraft, reason: DropReason | undefined) => void;

/** All watchers of incoming messages. Without watchers, the feed adds no cost to ingest. */
export interface LiveFeed {
  /** Returns the function to call with every message, or undefined while nobody watches. */
  watch(): Watcher | undefined;
  /**
   * Checks that one more watcher can be added.
   * @throws CandorError `too_many_watchers`
   */
  checkRoom(): void;
  /**
   * Streams the messages that match the filters as server-sent events: `message` with {verdict, reason?,
   * source, envelope | message}, and `missed` with the number of messages that the watcher missed. Ends on
   * `close`, when the watcher disconnects, or if it stops reading while much is buffered for it.
   */
  add(response: ServerResponse, filters: Filters): void;
  close(): void;
}

export function createLiveFeed(heartbeatMs: number = HEARTBEAT_MS): LiveFeed {
  const watchers = new Map<ServerResponse, Watcher>();
  const watchAll: Watcher = (draft, reason) => {
    for (const watcher of watchers.values()) watcher(draft, reason);
  };
  return {
    watch: () => (watchers.size === 0 ? undefined : watchAll),
    checkRoom: () => {
      if (watchers.size >= MAX_WATCHERS) throw new CandorError("too_many_watchers", { limit: MAX_WATCHERS });
    },
    add: (response, filters) => {
      response.writeHead(200, {
        "Content-Type": "text/event-stream",
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
      });
      response.write(": watching\n\n");
      const heartbeat = setInterval(createHeartbeat(response), heartbeatMs);
      watchers.set(response, createWatcher(response, filters));
      response.on("error", () => {}); // the watcher has disconnected: "close" follows
      response.on("close", () => {
        clearInterval(heartbeat);
        watchers.delete(response);
      });
    },
    close: () => {
      const leaving = [...watchers.keys()];
      watchers.clear(); // first, so that nothing is written after the end
      for (const response of leaving) response.end();
    },
  };
}

/**
 * Creates the function that sends a heartbeat to a watcher, unless the buffer is full. It disconnects the
 * watcher instead if more than half of the buffer is in use and the watcher has read nothing since the last
 * heartbeat.
 */
function createHeartbeat(response: ServerResponse): () => void {
  let readBefore = -1;
  return () => {
    if (response.writableEnded) return;
    const { socket } = response;
    const read = (socket?.bytesWritten ?? 0) - (socket?.writableLength ?? 0);
    if (read === readBefore && response.writableLength > MAX_WAITING_BYTES / 2) response.destroy();
    else if (hasRoom(response, HEARTBEAT)) response.write(HEARTBEAT);
    readBefore = read;
  };
}

function hasRoom(response: ServerResponse, text: string): boolean {
  return response.writableLength + text.length <= MAX_WAITING_BYTES;
}

function createWatcher(response: ServerResponse, filters: Filters): Watcher {
  let missed = 0; // includes the current message until it is written
  return (draft, reason) => {
    if (!isWanted(draft, reason, filters)) return;
    missed += 1;
    if (missed > 1 && response.writableLength > MAX_WAITING_BYTES / 2) return;
    const told = missed === 1 ? "" : `event: missed\ndata: ${JSON.stringify({ missed: missed - 1 })}\n\n`;
    const text = `${told}event: message\ndata: ${describe(draft, reason)}\n\n`;
    if (!hasRoom(response, text)) return;
    missed = 0;
    response.write(text);
  };
}

/**
 * Whether a watcher's filters match. A message that was dropped before it became an envelope is matched by
 * its source and by its top-level fields as sent.
 */
function isWanted(draft: PipelineDraft, reason: DropReason | undefined, filters: Filters): boolean {
  if (draft.envelope.messageId !== "" || reason === undefined)
    return matches(filters, draft.source, draft.envelope);
  const item = isObject(draft.item) ? draft.item : {};
  for (const [name, { values }] of filters)
    if (!values.some((value) => value === (name === "source" ? draft.source : item[name]))) return false;
  return true;
}

/**
 * Renders a message for a watcher. A dropped message is shown as it was sent, except for its write key. Only
 * the maker can see it, and showing it stores nothing.
 */
function describe(draft: PipelineDraft, reason: DropReason | undefined): string {
  const source = JSON.stringify(draft.source ?? null);
  if (reason === undefined) {
    return `{"verdict":"kept","source":${source},"envelope":${withCandor(draft.text, { ...draft, source: draft.source ?? "" })}}`;
  }
  return `{"verdict":"dropped","reason":"${reason}","source":${source},"message":${messageText(draft.item)}}`;
}

/**
 * Returns the message as JSON without its write key, or `null` if it is nested too deeply to serialize:
 * watching must never make a request fail.
 */
function messageText(item: unknown): string {
  try {
    return JSON.stringify(withoutKey(item));
  } catch {
    return "null";
  }
}

function withoutKey(item: unknown): unknown {
  if (!isObject(item)) return item ?? null;
  const { writeKey: _secret, ...rest } = item;
  return rest;
}
