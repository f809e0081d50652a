import type { ServerResponse } from "node:http";
import { isObject } from "@candor/envelope";
import type { Draft } from "../pipeline.ts";
import type { DropReason } from "../reasons.ts";
import { withCandor } from "./events.ts";
import { type Filters, matches } from "./filters.ts";

const HEARTBEAT_MS = 15_000;
/** A watcher that reads more slowly than this misses messages, and is told how many. */
const MAX_WAITING_BYTES = 1024 * 1024;

type Watcher = (draft: Draft, reason: DropReason | undefined) => void;

/** Everybody who watches messages come in. Costs ingest nothing while nobody does. */
export interface LiveFeed {
  /** The function that sees every message, or undefined while nobody watches. */
  watch(): Watcher | undefined;
  /** Sends server-sent events until the watcher leaves: `message` with {verdict, reason?, source?, envelope | message}. */
  add(response: ServerResponse, filters: Filters): void;
  close(): void;
}

export function createLiveFeed(): LiveFeed {
  const watchers = new Map<ServerResponse, Watcher>();
  const watchAll: Watcher = (draft, reason) => {
    for (const watcher of watchers.values()) watcher(draft, reason);
  };
  return {
    watch: () => (watchers.size === 0 ? undefined : watchAll),
    add: (response, filters) => {
      response.writeHead(200, {
        "Content-Type": "text/event-stream",
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
      });
      response.write(": watching\n\n");
      const heartbeat = setInterval(
        () => watchers.has(response) && response.write(": still here\n\n"),
        HEARTBEAT_MS,
      );
      watchers.set(response, createWatcher(response, filters));
      response.on("error", () => {}); // the watcher has left: "close" follows
      response.on("close", () => {
        clearInterval(heartbeat);
        watchers.delete(response);
      });
    },
    close: () => {
      const leaving = [...watchers.keys()];
      watchers.clear(); // first, so that nothing is written behind the end
      for (const response of leaving) response.end();
    },
  };
}

function createWatcher(response: ServerResponse, filters: Filters): Watcher {
  let missed = 0;
  return (draft, reason) => {
    if (!isWanted(draft, reason, filters)) return;
    if (response.writableLength > MAX_WAITING_BYTES) {
      missed += 1;
      return;
    }
    if (missed > 0) response.write(`event: missed\ndata: ${JSON.stringify({ missed })}\n\n`);
    missed = 0;
    response.write(`event: message\ndata: ${describe(draft, reason)}\n\n`);
  };
}

/** A message that never became an envelope has only its source and event to go by. */
function isWanted(draft: Draft, reason: DropReason | undefined, filters: Filters): boolean {
  if (draft.envelope.messageId !== "" || reason === undefined)
    return matches(filters, draft.source, draft.envelope);
  const item = isObject(draft.item) ? draft.item : {};
  for (const [name, values] of filters)
    if (!values.some((value) => value === (name === "source" ? draft.source : item[name]))) return false;
  return true;
}

/** Dropped messages are shown as they came, to the maker alone, and stored nowhere. */
function describe(draft: Draft, reason: DropReason | undefined): string {
  const source = JSON.stringify(draft.source ?? null);
  if (reason === undefined) {
    return `{"verdict":"kept","source":${source},"envelope":${withCandor(draft.text, { ...draft, sentPlanVersion: 0, source: draft.source ?? "" })}}`;
  }
  return `{"verdict":"dropped","reason":"${reason}","source":${source},"message":${messageText(draft.item)}}`;
}

/** Null for what is nested too deep to be written: a watcher must never decide about a message. */
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
