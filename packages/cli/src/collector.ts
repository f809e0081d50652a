import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import { text } from "node:stream/consumers";
import type { InstanceAction } from "@candor/node/state-folder";
import { CandorError, causeOf } from "@candor/server";
import { toShown } from "./address.ts";
import { type Fields, parseFields } from "./live-message.ts";
import { toSafeText } from "./safe-text.ts";

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

/** The collector refuses what was asked, and would refuse it again: its code and its sentence. */
export class Refused extends Error {
  readonly code: string;

  constructor(code: string, sentence: string) {
    super(sentence);
    this.name = "Refused";
    this.code = code;
  }
}

/** A refusal as the operator reads it, on one line. */
export function explainRefusal({ code, message }: Refused, url: string): string {
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
    throw new Refused(fault.code, String(fault.message));
  }
  throw unreachable(`what answers there is no Candor's live feed: status ${response.status}`);
}

/** Longer than the collector takes to wait until everything is gone. */
const FORGET_TIMEOUT_MS = 600_000;

/**
 * Asks POST /api/forget. Resolves to the receipt once what was asked for is gone.
 * @throws Refused for an answer of the collector that is no receipt; CandorError `unreachable` for everything else
 */
export function askToForget(url: string, token: string, subject: Fields): Promise<Fields> {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  return post(url, "/api/forget", headers, JSON.stringify(subject));
}

/**
 * Asks POST /v1/instance/<action>, as an instance that has signed the body.
 * @throws as askToForget
 */
export function askAsInstance(url: string, action: InstanceAction, signed: Buffer): Promise<Fields> {
  return post(url, `/v1/instance/${action}`, { "Content-Type": "application/json" }, signed);
}

/** Not with fetch, which gives up after 300 s without an answer. */
async function post(
  url: string,
  path: string,
  headers: http.OutgoingHttpHeaders,
  body: string | Buffer,
): Promise<Fields> {
  const unreachable = (cause: string, error?: unknown): CandorError =>
    new CandorError("unreachable", { url: toShown(url), cause }, error);
  const { request } = url.startsWith("https:") ? https : http;
  const signal = AbortSignal.timeout(FORGET_TIMEOUT_MS);
  try {
    const asking = request(`${url}${path}`, { method: "POST", headers, signal });
    asking.end(body);
    const [response]: http.IncomingMessage[] = await once(asking, "response");
    const status = response?.statusCode;
    const answer = response === undefined ? undefined : parseFields(await text(response));
    if (status === 200 && answer !== undefined) return answer;
    if (typeof answer?.code === "string") throw new Refused(answer.code, String(answer.message));
    throw unreachable(`what answers there is no Candor: status ${status}`);
  } catch (error) {
    if (error instanceof Refused || error instanceof CandorError) throw error;
    throw unreachable(reachCauseOf(signal.aborted ? signal.reason : error), error);
  }
}
