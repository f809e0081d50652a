import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import { text } from "node:stream/consumers";
import { type Instance, type InstanceAction, signRequest } from "@candor/node/state-folder";
import { CandorError, causeOf } from "@candor/server";
import { toShown } from "./address.ts";
import { type Fields, parseFields, textOf } from "./live-message.ts";
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
  const dateMs = readDate(response.headers.get("date"));
  return { status: response.status, body: await response.text(), dateMs };
}

function readDate(header: string | null | undefined): number | undefined {
  const dateMs = Date.parse(header ?? "");
  return Number.isNaN(dateMs) ? undefined : dateMs;
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
  readonly url: string;
  /** The collector's clock, epoch milliseconds. */
  readonly dateMs: number | undefined;

  constructor(code: string, sentence: string, url: string, dateMs?: number) {
    super(sentence);
    this.name = "Refused";
    this.code = code;
    this.url = url;
    this.dateMs = dateMs;
  }
}

/** A refusal as the operator reads it, on one line. */
export function explainRefusal({ code, message, url }: Refused): string {
  if (code !== "token_invalid") return toSafeText(message);
  return `The collector at ${toShown(url)} does not know this token. Set CANDOR_ADMIN_TOKEN to its token, or CANDOR_DATA_DIR to its data folder.`;
}

/** Nothing that is a collector answered an instance. Its operator runs none, so they are not told to start it. */
export class NoAnswer extends Error {
  constructor(url: string, cause: string, error?: unknown) {
    super(
      `No collector answers at ${toShown(url)} (${cause}). Give the address that the product sends to, such as --url https://telemetry.example.org. The product's page of its telemetry names it, or its documentation.`,
      { cause: error },
    );
    this.name = "NoAnswer";
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
    throw new Refused(fault.code, textOf(fault.message), url);
  }
  throw unreachable(`what answers there is no Candor's live feed: status ${response.status}`);
}

/** Longer than the collector takes to wait until everything is gone. */
export const FORGET_TIMEOUT_MS = 600_000;

/**
 * Asks POST /api/forget. Resolves to the receipt once what was asked for is gone.
 * @throws Refused for an answer of the collector that is no receipt; CandorError `unreachable` for everything else
 */
export function askToForget(url: string, token: string, subject: Fields): Promise<Fields> {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  return post(`${url}/api/forget`, headers, JSON.stringify(subject), {
    url,
    timeoutMs: FORGET_TIMEOUT_MS,
    toFault: (cause, error) => new CandorError("unreachable", { url: toShown(url), cause }, error),
  });
}

export interface InstanceQuestion {
  readonly action: InstanceAction;
  /** Further fields of the body. */
  readonly more?: { readonly [field: string]: string | number };
  readonly timeoutMs: number;
}

/**
 * Asks POST /v1/instance/<action> as an instance, with its signature. If the two clocks differ too much, the request is signed
 * once more with the collector's time.
 * @throws Refused for an answer of the collector that is not what was asked for; NoAnswer for everything else, also when
 * the whole answer is not there after `timeoutMs`
 */
export async function askAsInstance(
  url: string,
  instance: Instance,
  { action, more = {}, timeoutMs }: InstanceQuestion,
): Promise<Fields> {
  const askAt = (nowMs: number): Promise<Fields> => {
    const signed = signRequest(instance, action, { url: new URL(url), nowMs, more });
    return post(`${url}/v1/instance/${action}`, { "Content-Type": "application/json" }, signed, {
      url,
      timeoutMs,
      toFault: (cause, error) => new NoAnswer(url, cause, error),
    });
  };
  try {
    return await askAt(Date.now());
  } catch (error) {
    const isStale = error instanceof Refused && error.code === "signature_stale";
    if (!isStale || error.dateMs === undefined) throw error;
    return askAt(error.dateMs);
  }
}

interface Asking {
  readonly url: string;
  readonly timeoutMs: number;
  /** The error for anything but an answer of a collector. */
  readonly toFault: (cause: string, error?: unknown) => Error;
}

async function post(
  address: string,
  headers: http.OutgoingHttpHeaders,
  body: string | Buffer,
  { url, timeoutMs, toFault }: Asking,
): Promise<Fields> {
  const signal = AbortSignal.timeout(timeoutMs);
  const { status, location, dateMs, text } = await exchange(address, headers, body, signal).catch(
    (error: unknown) => {
      throw toFault(reachCauseOf(signal.aborted ? signal.reason : error), error);
    },
  );
  const answer = parseFields(text);
  if (status === 200 && answer !== undefined) return answer;
  if (typeof answer?.code === "string") throw new Refused(answer.code, textOf(answer.message), url, dateMs);
  if (location !== undefined && URL.canParse(location, address))
    throw toFault(`it refers to ${toShown(new URL(location, address).href)}`);
  throw toFault(`what answers there is no collector: status ${status}`);
}

/** Not with fetch, which gives up after 300 s without an answer. @throws the network's error */
async function exchange(
  address: string,
  headers: http.OutgoingHttpHeaders,
  body: string | Buffer,
  signal: AbortSignal,
): Promise<{
  status: number | undefined;
  location: string | undefined;
  dateMs: number | undefined;
  text: string;
}> {
  const { request } = address.startsWith("https:") ? https : http;
  const asking = request(address, { method: "POST", headers, signal });
  asking.end(body);
  const [response]: http.IncomingMessage[] = await once(asking, "response");
  if (response === undefined) throw new Error("no answer");
  const {
    statusCode: status,
    headers: { location, date },
  } = response;
  return { status, location, dateMs: readDate(date), text: await text(response) };
}
