import { CandorError, causeOf } from "@candor/server";
import { toShown } from "./address.ts";
import { parseFields } from "./live-message.ts";

/** What a running collector answered. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  /** Its clock, from the header Date (whole seconds), epoch milliseconds. */
  readonly dateMs: number | undefined;
}

/**
 * Asks without a token.
 * @throws what fetch throws, a TimeoutError after `timeoutMs` included; `reachCauseOf` names it
 */
export async function ask(address: string, timeoutMs: number): Promise<Answer> {
  const response = await fetch(address, { signal: AbortSignal.timeout(timeoutMs), redirect: "manual" });
  const dateMs = Date.parse(response.headers.get("date") ?? "");
  return {
    status: response.status,
    body: await response.text(),
    dateMs: Number.isNaN(dateMs) ? undefined : dateMs,
  };
}

/** Why nothing came back: the system's code where there is one. fetch hides it in the cause. */
export function reachCauseOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return "no answer in time";
  return causeOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
}

/** A stream of /api/live, open. */
export interface LiveStream {
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** The collector refuses this watcher, and would refuse it again: its code and its sentence. */
export class Refused extends Error {
  readonly code: string;

  constructor(code: string, sentence: string) {
    super(sentence);
    this.name = "Refused";
    this.code = code;
  }
}

/**
 * Opens /api/live.
 * @throws Refused for an answer that trying again will not change; CandorError `unreachable` for everything else
 */
export async function openLive(
  url: string,
  token: string,
  filters: URLSearchParams,
  signal: AbortSignal,
): Promise<LiveStream> {
  const unreachable = (cause: string, error?: unknown): CandorError =>
    new CandorError("unreachable", { url: toShown(url), cause }, error);
  const headers = { Authorization: `Bearer ${token}`, Accept: "text/event-stream" };
  const response = await fetch(`${url}/api/live?${filters}`, { headers, signal, redirect: "manual" }).catch(
    (error: unknown) => {
      throw unreachable(reachCauseOf(error), error);
    },
  );
  if (response.status === 200 && /^text\/event-stream/.test(response.headers.get("content-type") ?? "")) {
    if (response.body !== null) return { pieces: response.body };
  }
  const fault = parseFields(await response.text().catch(() => ""));
  if (typeof fault?.code === "string" && (response.status === 400 || response.status === 401)) {
    throw new Refused(fault.code, String(fault.message));
  }
  throw unreachable(`what answers there is no Candor's live feed: status ${response.status}`);
}
