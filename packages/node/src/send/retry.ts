/** Decides what to do after a request and when to try again, and explains faults and refusals. */
import { COLLECTOR_REASONS } from "@candor/envelope/wire";
import type { HttpOutcome } from "../http/client.ts";
import { FAULT_SENTENCES, type HttpFault } from "../http/faults.ts";

const FIRST_DELAY_MS = 1000;
const MAX_DELAY_MS = 5 * 60_000;
const BLOCKED_DELAY_MS = 60 * 60_000;
const MAX_RETRY_AFTER_MS = 60 * 60_000;
/** The form of a collector's reasons and error codes. Other text from a collector is not shown. */
export const COLLECTOR_CODE = /^[a-z_]{1,40}$/;

/** What to do after a request. */
export type NextStep =
  /** The collector received the lines. `dropped` contains the reasons for the messages it did not keep. */
  | { readonly next: "delivered"; readonly dropped: readonly string[] }
  /** The request failed for now. The lines are kept. */
  | { readonly next: "retry"; readonly afterMs: number | undefined; readonly fault: Fault }
  /**
   * The collector refuses this sender, because the key or the address is wrong. The lines are kept, because
   * somebody may correct that.
   */
  | { readonly next: "blocked"; readonly fault: Fault }
  /** The collector rejects the lines. They are halved until the invalid line is alone. */
  | { readonly next: "split"; readonly fault: Fault };

/** An outcome after which the lines are kept to be sent again. */
export type FailedTry = Extract<NextStep, { readonly next: "retry" | "blocked" }>;

/**
 * Why a request failed. `dns`, `timeout`, ...: it got no answer. `http_503`: it was answered with an error.
 * `no_collector`: something other than a collector answered. `unknown_write_key`: the collector does not know
 * the write key in the messages.
 */
export type Fault = HttpFault | `http_${number}` | "no_collector" | "unknown_write_key";

const ANSWER_SENTENCES: { readonly [fault: string]: string } = {
  ...FAULT_SENTENCES,
  no_collector: "Something other than a collector answered, such as the network's login page.",
  unknown_write_key:
    "The collector rejects the client's write key that was passed to gateway(); `candor keys` prints the right one.",
  http_401:
    "The collector rejects the server's write key that was passed to createTelemetry(); `candor keys` prints the right one.",
  http_404: "There is no collector at this address; check the `host` passed to createTelemetry().",
  http_429: "The collector asked to be left alone for a while.",
};

/**
 * Explains a fault to the operator in a sentence.
 * @param fault as delivery.json names it; there is also a sentence for an unknown fault of a later version
 */
export function explainFault(fault: string): string {
  const sentence = Object.hasOwn(ANSWER_SENTENCES, fault) ? ANSWER_SENTENCES[fault] : undefined;
  if (sentence !== undefined) return sentence;
  const [, status] = /^http_(\d{3})$/.exec(fault) ?? [];
  if (status === undefined) return FAULT_SENTENCES.other;
  const answered = `The collector, or a proxy before it, answered with status ${status}`;
  if (status >= "500") return `${answered}: it has trouble of its own.`;
  if (status < "400") return `${answered}: it is at another address, which is not followed.`;
  return `${answered}: it did not take what was sent.`;
}

/**
 * Decides by the retry rules of Segment's clients: a batch is retried if there is no answer, or after a 408,
 * 410, 429, 460 or 5xx. After a 400 or 413 it is split. A 200 counts as delivery only if its body is a
 * collector's. After any other status, somebody has to correct something first.
 */
export function nextStepAfter(outcome: HttpOutcome): NextStep {
  if (!outcome.ok) return { next: "retry", afterMs: undefined, fault: outcome.fault };
  const { status, retryAfterMs, body } = outcome.answer;
  const fault: Fault = `http_${status}`;
  if (status === 200) return readAnswer(body);
  if (status === 400 || status === 413) return { next: "split", fault };
  const isForNow = status >= 500 || [408, 410, 429, 460].includes(status);
  if (isForNow) return { next: "retry", afterMs: retryAfterMs, fault };
  return { next: "blocked", fault };
}

/**
 * Reads the body of a 200. A body that is not a collector's does not count as delivery: some networks, such
 * as those of hotels, answer every request with a login page.
 */
function readAnswer(body: string): NextStep {
  const foreign: NextStep = { next: "retry", afterMs: undefined, fault: "no_collector" };
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer !== "object" || answer === null || !("success" in answer)) return foreign;
    if (answer.success !== true) return foreign;
    const dropped = "dropped" in answer && Array.isArray(answer.dropped) ? answer.dropped.map(reasonOf) : [];
    // All messages of a file have the same key. If the collector does not know the key, somebody may correct
    // that, so the messages are kept.
    if (dropped.includes("unknown_write_key")) return { next: "blocked", fault: "unknown_write_key" };
    return { next: "delivered", dropped };
  } catch {
    return foreign;
  }
}

function reasonOf(drop: unknown): string {
  if (typeof drop !== "object" || drop === null || !("reason" in drop)) return "unknown";
  return COLLECTOR_CODE.test(String(drop.reason)) ? String(drop.reason) : "unknown";
}

/**
 * How long the collector must not be contacted, in milliseconds; 0 if it may be. Ignores a time further ahead
 * than a collector may ask for, because it was stored under a different clock.
 */
export function untilAllowedMs(notBefore: string | undefined, nowMs: number): number {
  const leftMs = Date.parse(notBefore ?? "") - nowMs;
  return leftMs > 0 && leftMs <= MAX_RETRY_AFTER_MS ? leftMs : 0;
}

/**
 * How many milliseconds to wait before the next attempt.
 * @param attempts failed attempts since the last successful one, at least 1
 * @param random 0 to 1
 */
export function toDelayMs(step: NextStep, attempts: number, random: number): number {
  if (step.next === "blocked") return BLOCKED_DELAY_MS;
  const growing = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempts - 1, 20));
  const delayMs = growing * (0.5 + random / 2);
  const askedMs = step.next === "retry" ? (step.afterMs ?? 0) : 0;
  return Math.max(delayMs, Math.min(askedMs, MAX_RETRY_AFTER_MS));
}

/** Describes a failed attempt in a sentence for the product's `debug`. */
export function describeFailed({ fault }: FailedTry): string {
  return `The collector did not take what was sent (${fault}). ${explainFault(fault)}`;
}

const NEW_PLAN_FIRST = "Give a new plan to the collector before the products.";

/** Sentences for reasons that often mean that a new plan was rolled out in the wrong order. */
const REFUSED_ADVICE: { readonly [reason in keyof typeof COLLECTOR_REASONS]?: string } = {
  event_not_in_plan: `The collector's plan does not declare the event. ${NEW_PLAN_FIRST}`,
  wrong_source: `The collector's plan declares the event for another source. ${NEW_PLAN_FIRST}`,
};

/**
 * Explains why a collector did not keep messages.
 * @param reason as delivery.json names it: a reason of the collector's, or `http_` and a status
 */
export function explainRefused(reason: string): string {
  if (reason.startsWith("http_")) return explainFault(reason);
  const sentences = new Map(Object.entries({ ...COLLECTOR_REASONS, ...REFUSED_ADVICE }));
  return sentences.get(reason) ?? "The collector did not keep them.";
}

/** Says in a sentence for the product's `debug` that a collector did not keep messages. */
export function describeRefused(reason: string): string {
  return `The collector received messages and did not keep them (${reason}). ${explainRefused(reason)}`;
}
