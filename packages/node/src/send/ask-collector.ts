/** Sends a signed request to a collector as this instance. */
import { type InstanceAction, toSignedText } from "@candor/envelope/instance-proof";
import { isRecord, tryParseJson } from "@candor/envelope/unknown-value";
import type { HttpClient, HttpOutcome } from "../http/client.ts";
import type { Instance } from "../state/instance.ts";
import { COLLECTOR_CODE } from "./retry.ts";

export interface Question {
  readonly http: HttpClient;
  /** The collector's URL. */
  readonly host: URL;
  readonly instance: Instance;
  readonly action: InstanceAction;
  readonly timeoutMs: number;
  readonly now: () => number;
}

/**
 * The collector's answer, or why there is none: a fault such as `dns` or `timeout`, an error code from the
 * collector, `no_collector`, or `http_` and a status.
 */
export type Reply =
  | { readonly ok: true; readonly answer: { readonly [field: string]: unknown } }
  | { readonly ok: false; readonly fault: string };

/**
 * Posts a signed request. If the two clocks differ too much, signs it once more with the collector's time.
 * Never rejects.
 */
export async function askCollector(question: Question): Promise<Reply> {
  const first = await postSigned(question, question.now());
  const reply = toReply(first);
  const dateMs = first.ok ? first.answer.dateMs : undefined;
  if (reply.ok || reply.fault !== "signature_stale" || dateMs === undefined) return reply;
  return toReply(await postSigned(question, dateMs));
}

function postSigned(
  { http, host, instance, action, timeoutMs }: Question,
  nowMs: number,
): Promise<HttpOutcome> {
  return http.post({
    url: toUrl(host, `v1/instance/${action}`),
    headers: { "content-type": "application/json" },
    body: signRequest(instance, action, { url: host, nowMs }),
    timeoutMs,
  });
}

function toReply(outcome: HttpOutcome): Reply {
  if (!outcome.ok) return outcome;
  const { status, body } = outcome.answer;
  const answer = tryParseJson(body);
  if (status === 200 && isRecord(answer)) return { ok: true, answer };
  const code = isRecord(answer) ? answer.code : undefined;
  const isCode = typeof code === "string" && COLLECTOR_CODE.test(code);
  return { ok: false, fault: isCode ? code : status === 200 ? "no_collector" : `http_${status}` };
}

export type { InstanceAction };

export interface SignOptions {
  /** The collector's URL. Its origin is signed, so that the request is not valid at another collector. */
  readonly url: URL;
  /**
   * The time by the collector's clock, as far as it is known. The request is valid for five minutes before
   * and after this time.
   */
  readonly nowMs: number;
  /** Further fields of the body, which are not signed. */
  readonly more?: { readonly [field: string]: string | number };
}

/** The body of `POST /v1/instance/<action>`. */
export function signRequest(instance: Instance, action: InstanceAction, options: SignOptions): Buffer {
  const { instanceId, publicKey } = instance;
  const { origin } = options.url;
  const signedAt = new Date(options.nowMs).toISOString();
  const signature = instance.sign(toSignedText({ action, instanceId, signedAt, origin }));
  return Buffer.from(JSON.stringify({ instanceId, publicKey, signedAt, origin, signature, ...options.more }));
}

/**
 * The URL of an endpoint.
 * @param host the collector's URL, which may contain a path
 * @param path such as `v1/batch`
 */
export function toUrl(host: URL, path: string): URL {
  return new URL(path, host.href.endsWith("/") ? host : `${host.href}/`);
}
