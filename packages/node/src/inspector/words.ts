/** Owns how the pages of the inspector say a state, a number, a time and a sentence. */
import { type Html, html } from "@candor/plan/describe";
import type { InspectorStatus } from "./status.ts";

/** What stands first: whether anything is sent, how much, and why not. */
export function toStatusSentence({ state, reason, product, kept }: InspectorStatus): string {
  if (state === "off") return `Telemetry is off. ${reason?.sentence ?? ""}`.trim();
  if (state === "log") return "Telemetry is in log mode: messages are printed, and nothing is sent.";
  const waiting = kept?.outbox.waiting.messages ?? 0;
  const sent = kept?.outbox.sent.messages ?? 0;
  const off = product?.sources.filter(({ rules }) => rules.every(({ allow }) => !allow)) ?? [];
  const but = off.length === 0 ? "" : `, but off for the ${joinWords(off.map(({ source }) => source))}`;
  return `Telemetry is on${but}. ${countOf(waiting, "message waits", "messages wait")}, ${countOf(sent, "was", "were")} sent in the last seven days.`;
}

/** `track Instance Active`, of a message as it was read. */
export function labelOfMessage(message: unknown): string {
  if (typeof message !== "object" || message === null) return "not readable";
  const fields: { readonly type?: unknown; readonly event?: unknown; readonly name?: unknown } = message;
  return [fields.type, fields.event ?? fields.name].filter((word) => typeof word === "string").join(" ");
}

export function countOf(count: number, one: string, many: string): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

/** A time in UTC, to the second. */
export function writeTime(time: string | undefined): Html {
  const atMs = Date.parse(time ?? "");
  if (Number.isNaN(atMs)) return html`never`;
  const iso = new Date(atMs).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC</time>`;
}

/** A sentence, with what stands between backticks as code. */
export function writeCodes(sentence: string): Html {
  const parts = sentence.split(/`([^`]+)`/);
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

function joinWords(words: readonly string[]): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} and ${last}`;
}
