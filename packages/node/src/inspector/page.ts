import { colourJson, escapeHtml, PAGE_STYLE } from "@candor/plan/describe";
import type { DeletionReceipt } from "../forget.ts";
import type { OutboxMessage, OutboxPage } from "../outbox/outbox-page.ts";
import { explainFault } from "../send/retry.ts";
import { writeNumbers } from "./page-numbers.ts";
import { writeSources } from "./page-sources.ts";
import { OWN_STYLE } from "./page-style.ts";
import type { InspectorStatus, KeptStatus } from "./status.ts";
import { countOf, labelOfMessage, toStatusSentence } from "./words.ts";

/** The whole text of the page's style element. */
export const INSPECTOR_STYLE = PAGE_STYLE + OWN_STYLE;

export interface InspectorPage {
  readonly status: InspectorStatus;
  readonly page: OutboxPage;
  /** Not the newest messages are shown. */
  readonly isOlder: boolean;
  /** What links begin with. */
  readonly here: string;
  /** Why the last answer was not taken. */
  readonly message: string | undefined;
  /** The receipt of a deletion at the collector that was asked for on this page. */
  readonly receipt: DeletionReceipt | undefined;
}

/** The operator's page: one HTML document without a script, which asks for nothing else. Whatever a message holds is escaped. */
export function renderInspector(shown: InspectorPage): string {
  const { status, message } = shown;
  const title = status.product === undefined ? "Telemetry" : `Telemetry of ${status.product.name}`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${INSPECTOR_STYLE}</style>
</head>
<body>
<main class="inspector">
<header>
<h1>${escapeHtml(title)}</h1>
${message === undefined ? "" : `<p class="warning" role="alert">${escapeHtml(message)}</p>`}
<p class="state ${status.state}">${escapeHtml(toStatusSentence(status))}</p>
${writeProblems(status.problems)}
${writeFacts(status, shown.here)}
</header>
${writeReceipt(shown)}
${writeSources(shown)}
${writeMessages(shown)}
${writeNumbers(status)}
${writeEnd(shown)}
</main>
</body>
</html>
`;
}

function writeProblems(problems: readonly string[]): string {
  if (problems.length === 0) return "";
  return `<p>This has to be mended by whoever built the product:</p>
<ul>${problems.map((problem) => `<li>${writeCodes(problem)}</li>`).join("")}</ul>`;
}

/** A sentence, with what stands between backticks as code. */
function writeCodes(sentence: string): string {
  return escapeHtml(sentence).replace(/`([^`]+)`/g, "<code>$1</code>");
}

function writeFacts({ product, kept }: InspectorStatus, here: string): string {
  if (product === undefined) return "";
  const facts = [
    ["Sent to", `<code>${escapeHtml(product.sentTo)}</code>`],
    ["What may be sent", `<a href="${escapeHtml(here)}plan">the plan, version ${product.plan.version}</a>`],
    ...(kept === undefined ? [] : keptFacts(kept)),
  ];
  const pairs = facts.map(
    ([term = "", line = ""]) => `<div><dt>${escapeHtml(term)}</dt><dd>${line}</dd></div>`,
  );
  return `<dl class="facts">\n${pairs.join("\n")}\n</dl>`;
}

function keptFacts({ instanceId, createdAt, delivery, lastKeepAliveAt }: KeptStatus): readonly string[][] {
  return [
    [
      "Instance",
      `<code>${escapeHtml(instanceId)}</code>, derived from a random key made at ${writeTime(createdAt)}`,
    ],
    ["Last heartbeat", writeTime(lastKeepAliveAt)],
    ["Last sent", writeTime(delivery.lastSentAt)],
    ...(delivery.lastFault === undefined ? [] : [["Last try failed", writeFault(delivery.lastFault)]]),
  ];
}

/** The code too: it is what docs and other programs call it. */
function writeFault(fault: string): string {
  return `<strong class="alarm">${writeCodes(explainFault(fault))}</strong> (<code>${escapeHtml(fault)}</code>)`;
}

/** What the collector confirmed. Once this process has ended, only a downloaded copy is left. */
function writeReceipt({ receipt, here }: InspectorPage): string {
  if (receipt === undefined) return "";
  const rows = receipt.removed.map(
    ({ where, rows }) =>
      `<tr><th scope="row">${escapeHtml(where)}</th><td class="count">${rows.toLocaleString("en-US")}</td></tr>`,
  );
  const notes = receipt.notes.map((note) => `<li>${escapeHtml(note)}</li>`).join("");
  return `<section class="plain" aria-labelledby="receipt">
<div class="head"><h2 id="receipt">Deleted at the collector</h2></div>
<p>What it held of <code>${escapeHtml(receipt.instanceId)}</code> was gone on ${writeTime(receipt.completedAt)}. <a href="${escapeHtml(here)}receipt.json" download>Download its receipt</a>: this page forgets it when the product ends.</p>
<table class="receipt">
<thead><tr><th scope="col">Where</th><th scope="col" class="count">Removed</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
<details><summary>What the receipt does not cover</summary><ul>${notes}</ul></details>
</section>`;
}

function writeMessages({ status, page, isOlder, here }: InspectorPage): string {
  if (status.product === undefined) return "";
  const lines = page.messages.map(writeMessage);
  const links = [
    ...(isOlder ? [`<a href="${escapeHtml(here)}">Newest messages</a>`] : []),
    ...(page.next === undefined
      ? []
      : [`<a href="${escapeHtml(here)}?before=${escapeHtml(page.next)}">Older messages</a>`]),
  ];
  return `<section class="plain" aria-labelledby="messages">
<div class="head"><h2 id="messages">Messages</h2></div>
<p>${messagesLead(status, lines.length)}</p>
${lines.length === 0 ? "" : `<div class="messages">\n${lines.join("\n")}\n</div>`}
${links.length === 0 ? "" : `<p class="pages">${links.join(" ")}</p>`}
</section>`;
}

function messagesLead({ state, held }: InspectorStatus, count: number): string {
  const waiting = held?.waiting.messages ?? 0;
  const fromBefore =
    waiting === 0
      ? ""
      : ` ${countOf(waiting, "message waits", "messages wait")} from before: kept for seven days, deleted by a No, and sent when telemetry is on again.`;
  if (state === "log")
    return `In this mode they are printed to the product's own log, and not kept.${fromBefore}`;
  if (state === "off" && held !== undefined) return `While telemetry is off nothing is written.${fromBefore}`;
  if (state === "off") return "While telemetry is off there are none: nothing is written, and nothing waits.";
  if (count === 0) return "There are none yet.";
  return "Newest first, each as it was sent or will be. Messages that were sent are kept for seven days, so that you can read them here.";
}

function writeMessage({ state, source, line, message }: OutboxMessage): string {
  const time =
    typeof message === "object" && message !== null && "timestamp" in message ? message.timestamp : "";
  const pretty = message === null ? line : JSON.stringify(message, null, 2);
  return `<details><summary><span class="badge ${state}">${state}</span> <span class="what">${escapeHtml(labelOfMessage(message))}</span> <span class="from">${source}</span> ${writeTime(String(time))}</summary>
<pre role="region" aria-label="The message" tabindex="0"><code>${colourJson(pretty)}</code></pre></details>`;
}

function writeEnd({ here }: InspectorPage): string {
  const base = escapeHtml(here);
  return `<footer><p>The same as JSON: <a href="${base}status.json">status</a>, <a href="${base}messages.json">messages</a>, <a href="${base}messages.ndjson" download>all messages as a file</a>.
In a terminal: <code>candor inspect</code> and <code>candor compare</code> with the state folder.</p></footer>`;
}

/** A time in UTC, to the second. */
function writeTime(time: string | undefined): string {
  const atMs = Date.parse(time ?? "");
  if (Number.isNaN(atMs)) return "never";
  const iso = new Date(atMs).toISOString();
  return `<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC</time>`;
}
