/** Reads the server-sent events of /api/live, and reconnects when the collector restarts. */
import { setTimeout as sleep } from "node:timers/promises";
import { reachCauseOf } from "@candor/node/operator";
import { CandorError } from "@candor/server";
import { type Asked, openLive } from "./collector.ts";

const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 10_000;
/** The collector sends a comment every 15 s. If three in a row are missing, the connection is dead. */
const SILENCE_MS = 45_000;

export interface LiveFeedOptions extends Asked {
  readonly filters: URLSearchParams;
  /** Ends the feed when it is aborted. */
  readonly signal: AbortSignal;
  /** Called with a line for the operator when the connection is made, breaks, or is restored. */
  readonly report: (line: string) => void;
}

/**
 * Yields the events of /api/live until `signal` is aborted. Once the collector has answered, reconnects
 * whenever the connection breaks, such as when the collector restarts.
 * @throws Refused at any connection that the collector refuses; CandorError `unreachable` if the first
 * connection fails
 */
export async function* followLive(options: LiveFeedOptions): AsyncGenerator<SseEvent> {
  const { url, signal, report } = options;
  let hasAnswered = false;
  let waitMs = RETRY_MIN_MS;
  while (!signal.aborted) {
    try {
      for await (const events of readOnce(options, () => {
        report(hasAnswered ? "Connected again." : `Watching ${url}. Ctrl-C ends.`);
        hasAnswered = true;
        waitMs = RETRY_MIN_MS;
      }))
        yield* events;
      throw new Error("it closed the connection");
    } catch (error) {
      if (signal.aborted) return;
      if (!hasAnswered || !isTransient(error)) throw error;
      if (waitMs === RETRY_MIN_MS) {
        report(
          `The connection to the collector broke (${toCause(error)}); reconnecting. Messages sent meanwhile are not shown.`,
        );
      }
    }
    await sleep(waitMs, undefined, { signal }).catch(() => {});
    waitMs = Math.min(waitMs * 2, RETRY_MAX_MS);
  }
}

/** Yields the events of one connection, in the groups in which they arrive. */
async function* readOnce(options: LiveFeedOptions, onOpen: () => void): AsyncGenerator<SseEvent[]> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error("nothing came for 45 s")), SILENCE_MS);
  const signal = AbortSignal.any([options.signal, silence.signal]);
  try {
    const { pieces } = await openLive(options, options.filters, signal);
    onOpen();
    const parse = createSseParser();
    const decoder = new TextDecoder();
    for await (const piece of pieces) {
      timer.refresh();
      yield parse(decoder.decode(piece, { stream: true }));
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Whether connecting again may help. A refusal is final; a broken connection may be restored. */
function isTransient(error: unknown): boolean {
  return !(error instanceof Error && error.name === "Refused");
}

function toCause(error: unknown): string {
  return reachCauseOf(error instanceof CandorError && error.cause !== undefined ? error.cause : error);
}

/** One server-sent event. */
export interface SseEvent {
  /** The value of the field `event`; `message` if there is none. */
  readonly name: string;
  readonly data: string;
}

/**
 * Creates a parser of server-sent events. Each call takes the next piece of text and returns the events that
 * it completes. Comments, and all fields other than `event` and `data`, are skipped. An event truncated by
 * the end of the stream is dropped.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function createSseParser(): (piece: string) => SseEvent[] {
  let rest = "";
  let name = "";
  let data: string[] = [];

  const takeLine = (line: string): SseEvent | undefined => {
    if (line === "") {
      const event = data.length === 0 ? undefined : { name: name || "message", data: data.join("\n") };
      name = "";
      data = [];
      return event;
    }
    const [, field = "", value = ""] = /^([^:]*)(?:: ?)?(.*)$/s.exec(line) ?? [];
    if (field === "event") name = value;
    if (field === "data") data.push(value);
    return undefined;
  };

  return (piece) => {
    // A CR at the end is left for the next piece, because an LF that follows belongs to the same line end.
    const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    return lines.map(takeLine).filter((event) => event !== undefined);
  };
}
