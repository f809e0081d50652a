/** Owns the operator's page as HTML. */
import { colourJson, type Html, html, PAGE_STYLE, styleElement } from "@candor/plan/describe";
import { TRIM_REASONS } from "@candor/plan/runtime";
import type { DeletionReceipt } from "../forget.ts";
import type { OutboxMessage, OutboxPage } from "../outbox/outbox-page.ts";
import { DROP_REASONS } from "../reasons.ts";
import type { Delivery } from "../send/delivery.ts";
import { explainFault, explainRefused } from "../send/retry.ts";
import { writeSources } from "./page-sources.ts";
import { OWN_STYLE } from "./page-style.ts";
import type { InspectorStatus, KeptStatus } from "./status.ts";
import { countOf, labelOfMessage, toStatusSentence, writeCodes, writeTime } from "./words.ts";

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
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
${styleElement(INSPECTOR_STYLE)}
</head>
<body>
<main class="inspector">
<header>
<h1>${title}</h1>
${message !== undefined && html`<p class="warning" role="alert">${message}</p>`}
<p class="state ${status.state}">${toStatusSentence(status)}</p>
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
`.toString();
}

function writeProblems(problems: readonly string[]): Html | undefined {
  if (problems.length === 0) return undefined;
  return html`<p>The developer of this product has to fix this:</p>
<ul>${problems.map((problem) => html`<li>${writeCodes(problem)}</li>`)}</ul>`;
}

type Fact = readonly [term: string, line: Html];

function writeFacts({ product, kept }: InspectorStatus, here: string): Html | undefined {
  if (product === undefined) return undefined;
  const facts: readonly Fact[] = [
    ["Sent to", html`<code>${product.sentTo}</code>`],
    ["What may be sent", html`<a href="${here}plan">the plan, version ${product.plan.version}</a>`],
    ...(kept === undefined ? [] : keptFacts(kept)),
  ];
  return html`<dl class="facts">
${facts.map(([term, line]) => html`<div><dt>${term}</dt><dd>${line}</dd></div>\n`)}</dl>`;
}

function keptFacts({ instanceId, createdAt, delivery, lastKeepAliveAt }: KeptStatus): readonly Fact[] {
  const { lastFault } = delivery;
  return [
    ["Instance", html`<code>${instanceId}</code>, derived from a random key made at ${writeTime(createdAt)}`],
    ["Last heartbeat", writeTime(lastKeepAliveAt)],
    ["Last sent", writeTime(delivery.lastSentAt)],
    ...(lastFault === undefined ? [] : [["Last try failed", writeFault(lastFault)] as const]),
  ];
}

/** The code too: it is what docs and other programs call it. */
function writeFault(fault: string): Html {
  return html`<strong class="alarm">${writeCodes(explainFault(fault))}</strong> (<code>${fault}</code>)`;
}

/** What the collector confirmed. Once this process has ended, only a downloaded copy is left. */
function writeReceipt({ receipt, here }: InspectorPage): Html | undefined {
  if (receipt === undefined) return undefined;
  const rows = receipt.removed.map(
    ({ where, rows }) =>
      html`<tr><th scope="row">${where}</th><td class="count">${rows.toLocaleString("en-US")}</td></tr>\n`,
  );
  return html`<section class="plain" aria-labelledby="receipt">
<div class="head"><h2 id="receipt">Deleted at the collector</h2></div>
<p>What it held of <code>${receipt.instanceId}</code> was gone on ${writeTime(receipt.completedAt)}. <a href="${here}receipt.json" download>Download its receipt</a>: this page forgets it when the product ends.</p>
<table class="receipt">
<thead><tr><th scope="col">Where</th><th scope="col" class="count">Removed</th></tr></thead>
<tbody>
${rows}</tbody>
</table>
<details><summary>What the receipt does not cover</summary><ul>${receipt.notes.map((note) => html`<li>${note}</li>`)}</ul></details>
</section>`;
}

function writeMessages({ status, page, isOlder, here }: InspectorPage): Html | undefined {
  if (status.product === undefined) return undefined;
  const { messages, next } = page;
  const links = [
    ...(isOlder ? [html`<a href="${here}">Newest messages</a> `] : []),
    ...(next === undefined ? [] : [html`<a href="${here}?before=${next}">Older messages</a>`]),
  ];
  return html`<section class="plain" aria-labelledby="messages">
<div class="head"><h2 id="messages">Messages</h2></div>
<p>${messagesLead(status, messages.length)}</p>
${messages.length > 0 && html`<div class="messages">\n${messages.map(writeMessage)}</div>`}
${links.length > 0 && html`<p class="pages">${links}</p>`}
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

function writeMessage({ state, source, line, message }: OutboxMessage): Html {
  const time =
    typeof message === "object" && message !== null && "timestamp" in message ? message.timestamp : "";
  const pretty = message === null ? line : JSON.stringify(message, null, 2);
  return html`<details><summary><span class="badge ${state}">${state}</span> <span class="what">${labelOfMessage(message)}</span> <span class="from">${source}</span> ${writeTime(String(time))}</summary>
<pre role="region" aria-label="The message" tabindex="0"><code>${colourJson(pretty)}</code></pre></details>
`;
}

type Row = readonly [what: string, count: number, meaning?: string];

const DROP_SENTENCES: { readonly [reason: string]: string } = DROP_REASONS;
const TRIM_SENTENCES: { readonly [reason: string]: string } = TRIM_REASONS;

/** What became of the messages: at the collector, and in this process. */
function writeNumbers({ product, kept, counts }: InspectorStatus): Html | undefined {
  if (product === undefined) return undefined;
  return html`<section class="plain" aria-labelledby="numbers">
<div class="head"><h2 id="numbers">Numbers</h2></div>
${kept && writeTable("What became of the messages, since the instance got its id", deliveryRows(kept.delivery))}
${writeTable("What this process did with the product's calls, since it started", [
  ["kept", counts.kept, "Put into the outbox, or printed in log mode."],
  ...Object.entries(counts.dropped).map(
    ([reason, count]): Row => [`dropped: ${reason}`, count, DROP_SENTENCES[reason] ?? ""],
  ),
  ...Object.entries(counts.trimmed).map(([what, count]): Row => {
    const [path = "", reason = ""] = what.split(" ");
    return [`taken out: ${path}`, count, TRIM_SENTENCES[reason] ?? reason];
  }),
])}
</section>`;
}

function deliveryRows({ accepted, refused, expired, overflowed }: Delivery): readonly Row[] {
  return [
    ["accepted", accepted, "The collector took them."],
    ...Object.entries(refused).map(
      ([reason, count]): Row => [`refused: ${reason}`, count, explainRefused(reason)],
    ),
    ["expired", expired, "They could not be sent within seven days, and were deleted."],
    ["overflowed", overflowed, "They were deleted because the outbox was full."],
  ];
}

function writeTable(caption: string, rows: readonly Row[]): Html {
  const cells = rows.map(
    ([what, count, meaning = ""]) =>
      html`<tr><th scope="row">${what}</th><td class="count">${count.toLocaleString("en-US")}</td><td>${meaning}</td></tr>\n`,
  );
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption><span>${caption}</span></caption>
<thead><tr><th scope="col">What</th><th scope="col" class="count">Messages</th><th scope="col">Meaning</th></tr></thead>
<tbody>
${cells}</tbody>
</table></div>`;
}

function writeEnd({ here }: InspectorPage): Html {
  return html`<footer><p>The same as JSON: <a href="${here}status.json">status</a>, <a href="${here}messages.json">messages</a>, <a href="${here}messages.ndjson" download>all messages as a file</a>.
In a terminal: <code>npx @candor/node inspect</code> and <code>npx @candor/node compare</code> with the state folder.</p></footer>`;
}
