/** Sends a command's requests to a collector, and explains to the operator why there is no answer. */
import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import { text } from "node:stream/consumers";
import { codeOf, type Fields, parseFields, textOf } from "@candor/envelope/unknown-value";

/** The time limit for a deletion, longer than a collector waits for one to finish. */
export const FORGET_TIMEOUT_MS = 600_000;

const EVERY_ADDRESS = new Set(["0.0.0.0", "[::]"]);

/**
 * The URL to give to people and clients on this machine: a server that listens on all interfaces is reached
 * there at 127.0.0.1. Drops credentials, the query, and slashes at the end.
 */
export function toReachable(url: string): string {
  const { protocol, hostname, port, pathname } = new URL(url);
  const host = EVERY_ADDRESS.has(hostname) ? "127.0.0.1" : hostname;
  return `${protocol}//${host}${port === "" ? "" : `:${port}`}${pathname.replace(/\/+$/, "")}`;
}

/** The URL for display, without its query and the name and password that it may contain. */
export function toShown(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname.replace(/\/+$/, "")}`;
}

export const WRITE_AN_ADDRESS = "Write an address such as https://telemetry.example.org.";

/** A collector's URL as typed by a person; undefined if the text is not an HTTP URL. */
export function readAddress(written: string): string | undefined {
  const isHttp = URL.canParse(written) && /^https?:$/.test(new URL(written).protocol);
  return isHttp ? toReachable(written) : undefined;
}

/**
 * The error for a request that a collector answered with an error. Carries the collector's code and sentence.
 */
export class Refused extends Error {
  readonly code: string;
  readonly url: string;
  /** The Date header of the collector's answer, epoch milliseconds. */
  readonly dateMs: number | undefined;

  constructor(code: string, sentence: string, url: string, dateMs?: number) {
    super(sentence);
    this.name = "Refused";
    this.code = code;
    this.url = url;
    this.dateMs = dateMs;
  }
}

/**
 * The error for a request of an instance that no collector answered. The operator does not run the collector,
 * so the message does not tell them to start it.
 */
export class NoAnswer extends Error {
  constructor(url: string, cause: string, error?: unknown) {
    super(
      `No collector answers at ${toShown(url)} (${cause}). Give the address that the product sends to, such as --url https://telemetry.example.org. The product's page of its telemetry names it, or its documentation.`,
      { cause: error },
    );
    this.name = "NoAnswer";
  }
}

export interface Asking {
  /** The collector's address. */
  readonly url: string;
  readonly timeoutMs: number;
  /** Creates the error to throw if no collector answered. */
  readonly toFault: (cause: string, error?: unknown) => Error;
}

/**
 * Posts a request, and resolves to the fields of the collector's answer.
 * @throws Refused if the collector refuses it; for any other failure, the error that `toFault` returns
 */
export async function post(
  path: string,
  headers: http.OutgoingHttpHeaders,
  body: string | Buffer,
  { url, timeoutMs, toFault }: Asking,
): Promise<Fields> {
  const address = url + path;
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

/** Posts without fetch, which gives up after 300 s without an answer. @throws a network error */
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

/**
 * The time in a Date header, epoch milliseconds (whole seconds); undefined if there is none, or it cannot be
 * parsed.
 */
export function readDate(header: string | null | undefined): number | undefined {
  const dateMs = Date.parse(header ?? "");
  return Number.isNaN(dateMs) ? undefined : dateMs;
}

/**
 * Why no answer was received: the system's error code if there is one (fetch puts it into `cause`), otherwise
 * the error's message.
 */
export function reachCauseOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  const cause = error.cause ?? error;
  return codeOf(cause) ?? (cause instanceof Error ? cause.message : String(cause));
}
