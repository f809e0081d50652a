/** Owns what the command line asks a running collector: something small, the live feed, a deletion. */
import {
  type Fields,
  FORGET_TIMEOUT_MS,
  parseFields,
  post,
  Refused,
  reachCauseOf,
  readDate,
  textOf,
  toSafeText,
  toShown,
} from "@candor/node/operator";
import { CandorError } from "@candor/server";

/** What a running collector answered. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  /** Its clock, from the header Date (whole seconds), epoch milliseconds. */
  readonly dateMs: number | undefined;
}

/**
 * Asks for something small.
 * @param token the admin token, where it needs one
 * @throws what fetch throws, a TimeoutError after `timeoutMs` included; `reachCauseOf` names it
 */
export async function ask(address: string, timeoutMs: number, token?: string): Promise<Answer> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await fetch(address, { headers, signal, redirect: "manual" });
  const dateMs = readDate(response.headers.get("date"));
  return { status: response.status, body: await response.text(), dateMs };
}

/** A stream of /api/live, open. */
export interface LiveStream {
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** A refusal as the operator reads it, on one line. */
export function explainRefusal({ code, message, url }: Refused): string {
  if (code !== "token_invalid") return toSafeText(message);
  return `The collector at ${toShown(url)} does not know this token. Set CANDOR_ADMIN_TOKEN to its token, or CANDOR_DATA_DIR to its data folder.`;
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
    throw new Refused(fault.code, textOf(fault.message), url);
  }
  throw unreachable(`what answers there is no Candor's live feed: status ${response.status}`);
}

/**
 * Asks POST /api/forget. Resolves to the receipt once what was asked for is gone.
 * @throws Refused for an answer of the collector that is no receipt; CandorError `unreachable` for everything else
 */
export function askToForget(url: string, token: string, subject: Fields): Promise<Fields> {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  return post("/api/forget", headers, JSON.stringify(subject), {
    url,
    timeoutMs: FORGET_TIMEOUT_MS,
    toFault: (cause, error) => new CandorError("unreachable", { url: toShown(url), cause }, error),
  });
}
