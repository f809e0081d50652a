/** Performs one POST and reads its answer, on a socket from an agent. */
import { type Agent, type IncomingMessage, request } from "node:http";
import { readBody } from "@candor/envelope/read-body";
import type { RouteRequestOptions } from "./connection.ts";
import { FaultError, faultOf, type HttpFault } from "./faults.ts";

export interface HttpAnswer {
  readonly status: number;
  /** How long the server asks us to wait, at most a day. Undefined if there is no valid Retry-After. */
  readonly retryAfterMs: number | undefined;
  /**
   * The server's clock, from its Date header (whole seconds), epoch milliseconds; undefined if there is no
   * valid one.
   */
  readonly dateMs: number | undefined;
  /** At most 1 MiB. */
  readonly body: string;
}

export interface ExchangeRequest {
  readonly agent: Agent;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The reason for the abort must be a FaultError. */
  readonly signal: AbortSignal;
}

export type Exchange =
  | { readonly ok: true; readonly answer: HttpAnswer }
  /**
   * `isStale`: a kept-alive socket broke before any byte of the answer arrived, so the server had probably
   * closed it before the request.
   */
  | { readonly ok: false; readonly fault: HttpFault; readonly isStale: boolean };

const MAX_ANSWER_BYTES = 1024 * 1024;
const DAY_MS = 24 * 60 * 60_000;
/** RFC 9110 5.6.7: all three forms of an HTTP date begin with the name of a day. */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/;

/**
 * Sends one POST and reads its answer.
 * @param nowMs the wall clock, for a Retry-After that is a date
 * @throws what http.request throws for an invalid header
 */
export function exchange(asked: ExchangeRequest, nowMs: () => number): Promise<Exchange> {
  const { body, signal, ...rest } = asked;
  const options: RouteRequestOptions = { ...rest, method: "POST", connectSignal: signal };
  return new Promise((resolve) => {
    const outgoing = request(options);
    let isAnswered = false;
    let isSettled = false;
    const onData = (): void => {
      isAnswered = true;
    };
    const settle = (result: Exchange): void => {
      if (isSettled) return;
      isSettled = true;
      signal.removeEventListener("abort", abort);
      outgoing.socket?.removeListener("data", onData);
      // If the answer arrives before the whole request was sent, the sending ends too.
      if (!result.ok || !outgoing.writableFinished) outgoing.destroy();
      resolve(result);
    };
    const fail = (error: unknown): void => {
      const fault = faultOf(error);
      settle({ ok: false, fault, isStale: fault === "reset" && outgoing.reusedSocket && !isAnswered });
    };
    const abort = (): void => fail(signal.reason);
    let onError = fail;
    outgoing.on("error", (error) => onError(error));
    outgoing.once("close", () => onError(new FaultError("reset")));
    outgoing.on("upgrade", (_response, socket) => {
      socket.destroy();
      fail(new FaultError("protocol"));
    });
    outgoing.on("socket", (socket) => {
      socket.unref(); // the agent refs a reused socket again
      socket.on("data", onData);
    });
    outgoing.on("response", (response) => {
      // From now on a socket error counts only if the answer is not valid HTTP: a server may refuse the rest
      // of a body and close the connection.
      onError = (error) => faultOf(error) === "protocol" && fail(error);
      readAnswer(response).then(
        (text) => settle({ ok: true, answer: toAnswer(response, text, nowMs()) }),
        fail,
      );
    });
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    else outgoing.end(body);
  });
}

function toAnswer({ statusCode = 0, headers }: IncomingMessage, body: string, nowMs: number): HttpAnswer {
  const dateMs = Date.parse(headers.date ?? "");
  return {
    status: statusCode,
    retryAfterMs: parseRetryAfter(headers["retry-after"], headers.date, nowMs),
    dateMs: Number.isNaN(dateMs) ? undefined : dateMs,
    body,
  };
}

/**
 * Reads the body of the answer up to a size limit. The time limit is that of the whole exchange.
 * @throws FaultError
 */
async function readAnswer(response: IncomingMessage): Promise<string> {
  const body = await readBody(response, { maxBytes: MAX_ANSWER_BYTES });
  if (typeof body !== "string") return body.toString();
  throw new FaultError(body === "broken_off" ? "reset" : "answer_too_large");
}

/**
 * Retry-After in milliseconds, 0 to a day; undefined if there is none or it cannot be parsed.
 * @param value seconds, or an HTTP date
 * @param date the answer's own Date, which makes a wrong clock on this machine harmless
 * @param nowMs the wall clock, if there is no Date
 */
export function parseRetryAfter(
  value: string | undefined,
  date: string | undefined,
  nowMs: number,
): number | undefined {
  const text = value?.trim() ?? "";
  const waitMs = /^\d+$/.test(text)
    ? Number(text) * 1000
    : toEpochMs(text) - orElse(toEpochMs(date ?? ""), nowMs);
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), DAY_MS);
}

function toEpochMs(text: string): number {
  return HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
}

function orElse(value: number, instead: number): number {
  return Number.isNaN(value) ? instead : value;
}
