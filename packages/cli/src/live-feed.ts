import { setTimeout as sleep } from "node:timers/promises";
import { reachCauseOf } from "@candor/node/operator";
import { CandorError } from "@candor/server";
import { openLive } from "./collector.ts";
import { createSseParser, type SseEvent } from "./sse.ts";

const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 10_000;
/** The collector says that it is still there every 15 s: after three of these unheard, the connection is dead. */
const SILENCE_MS = 45_000;

export interface LiveFeedOptions {
  readonly url: string;
  readonly token: string;
  readonly filters: URLSearchParams;
  /** Ends the feed. */
  readonly signal: AbortSignal;
  /** One line for the operator: the collector went away, or is back. */
  readonly report: (line: string) => void;
}

/**
 * The events of /api/live, until the signal: across restarts of the collector, but not before its first answer.
 * @throws Refused, CandorError `unreachable` when there is no first answer
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
      if (!hasAnswered || !isPassing(error)) throw error;
      if (waitMs === RETRY_MIN_MS) {
        report(
          `The collector is gone (${toCause(error)}); trying again. What it accepts meanwhile is not shown here.`,
        );
      }
    }
    await sleep(waitMs, undefined, { signal }).catch(() => {});
    waitMs = Math.min(waitMs * 2, RETRY_MAX_MS);
  }
}

/** One connection, from its opening to its end. */
async function* readOnce(options: LiveFeedOptions, onOpen: () => void): AsyncGenerator<SseEvent[]> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error("it fell silent")), SILENCE_MS);
  const signal = AbortSignal.any([options.signal, silence.signal]);
  try {
    const { pieces } = await openLive(options.url, options.token, options.filters, signal);
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

/** A refusal stays one; a connection that broke may come back. */
function isPassing(error: unknown): boolean {
  return !(error instanceof Error && error.name === "Refused");
}

function toCause(error: unknown): string {
  return reachCauseOf(error instanceof CandorError && error.cause !== undefined ? error.cause : error);
}
