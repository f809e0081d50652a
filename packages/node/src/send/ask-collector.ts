/** Asks a collector something as this instance, which proves itself with its signature. */
import type { HttpClient, HttpOutcome } from "../http/client.ts";
import { isRecord, parseJson } from "../json.ts";
import type { Instance } from "../state/instance.ts";
import { toUrl } from "./collector-url.ts";
import { type InstanceAction, signRequest } from "./instance-request.ts";
import { COLLECTOR_CODE } from "./retry.ts";

export interface Question {
  readonly http: HttpClient;
  /** The collector's address. */
  readonly host: URL;
  readonly instance: Instance;
  readonly action: InstanceAction;
  readonly timeoutMs: number;
  readonly now: () => number;
}

/** What came back: the collector's answer, or why there is none: `dns`, `timeout`, ..., or a code of the collector's. */
export type Reply =
  | { readonly ok: true; readonly answer: { readonly [field: string]: unknown } }
  | { readonly ok: false; readonly fault: string };

/** If the two clocks differ too much, signs once more with the collector's time. Never rejects. */
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
  const answer = parseJson(body);
  if (status === 200 && isRecord(answer)) return { ok: true, answer };
  const code = isRecord(answer) ? answer.code : undefined;
  const isCode = typeof code === "string" && COLLECTOR_CODE.test(code);
  return { ok: false, fault: isCode ? code : status === 200 ? "no_collector" : `http_${status}` };
}
