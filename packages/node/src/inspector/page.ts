/** Renders the operator's page as HTML. */
import { colourJson, type Html, html, htmlDocument, PAGE_STYLE } from "@candor/plan/describe";
import { TRIM_REASONS } from "@candor/plan/runtime";
import type { DeletionReceipt } from "../forget.ts";
import type { OutboxMessage, OutboxPage } from "../outbox/outbox-page.ts";
import { DROP_REASONS } from "../reasons.ts";
import type { Delivery } from "../send/delivery.ts";
import { explainFault, explainRefused } from "../send/retry.ts";
import {
  countOf,
  labelOfMessage,
  toStatusSentence,
  writeCodes,
  writeSources,
  writeTime,
} from "./page-parts.ts";
import type { InspectorStatus, KeptStatus } from "./status.ts";

export interface InspectorPage {
  readonly status: InspectorStatus;
  readonly page: OutboxPage;
  /** Whether the page shows messages older than the newest ones. */
  readonly isOlder: boolean;
  /** The prefix of the page's links, see `Asked`. */
  readonly here: string;
  /** Why the answer in this request was not accepted; undefined if it was, or if there was none. */
  readonly message: string | undefined;
  /**
   * The receipt of the last deletion at the collector that was requested on this page; undefined if there was
   * none since the process started.
   */
  readonly receipt: DeletionReceipt | undefined;
}

/**
 * Renders the operator's page: one self-contained HTML document without a script. All text from messages is
 * escaped.
 */
export function renderInspector(shown: InspectorPage): string {
  const { status, message } = shown;
  const title = status.product === undefined ? "Telemetry" : `Telemetry of ${status.product.name}`;
  const body = html`<main class="inspector">
<header>
<h1>${title}</h1>
${message !== undefined && html`<p class="warning" role="alert">${message}</p>`}
<p class="state ${status.state}">${toStatusSentence(status)}</p>
${writeProblems(status.problems)}
${writeFacts(status, shown.here)}
</header>
${renderReceipt(shown)}
${writeSources(shown)}
${writeMessages(shown)}
${writeNumbers(status)}
${writeEnd(shown)}
</main>`;
  return htmlDocument(title, INSPECTOR_STYLE, body);
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

function keptFacts({ instanceId, createdAt, delivery, ...keepAlive }: KeptStatus): readonly Fact[] {
  const { lastFault } = delivery;
  return [
    [
      "Instance",
      html`<code>${instanceId}</code>, derived from a random key created at ${writeTime(createdAt)}`,
    ],
    ["Last heartbeat", writeHeartbeat(keepAlive)],
    ["Last sent", writeTime(delivery.lastSentAt)],
    ...(lastFault === undefined ? [] : [["Last attempt failed", writeFault(lastFault)] as const]),
  ];
}

function writeHeartbeat({
  lastKeepAliveAt,
  nextKeepAliveAt,
}: Pick<KeptStatus, "lastKeepAliveAt" | "nextKeepAliveAt">): Html {
  const last = lastKeepAliveAt === undefined ? html`none yet` : writeTime(lastKeepAliveAt);
  if (nextKeepAliveAt === undefined) return html`${last}; this process sends none`;
  const which = lastKeepAliveAt === undefined ? "the first" : "the next";
  return html`${last}; ${which} is due at ${writeTime(nextKeepAliveAt)} if the product is healthy`;
}

/** Renders a fault as a sentence, with its code, which docs and other programs use. */
function writeFault(fault: string): Html {
  return html`<strong class="alarm">${writeCodes(explainFault(fault))}</strong> (<code>${fault}</code>)`;
}

/** Renders the deletion receipt. Once this process has ended, only a downloaded copy is left. */
function renderReceipt({ receipt, here }: InspectorPage): Html | undefined {
  if (receipt === undefined) return undefined;
  const rows = receipt.removed.map(
    ({ where, rows }) =>
      html`<tr role="row"><th scope="row" role="rowheader">${where}</th><td role="cell" class="count" data-label="Removed">${rows.toLocaleString("en-US")}</td></tr>\n`,
  );
  return html`<section class="plain" aria-labelledby="receipt">
<div class="head"><h2 id="receipt">Deleted at the collector</h2></div>
<p>Everything stored about <code>${receipt.instanceId}</code> was deleted by ${writeTime(receipt.completedAt)}. <a href="${here}receipt.json" download>Download the receipt</a>: this page loses it when the product ends.</p>
<table role="table" class="receipt">
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Where</th><th scope="col" role="columnheader" class="count">Removed</th></tr></thead>
<tbody role="rowgroup">
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
      : ` ${countOf(waiting, "message waits", "messages wait")} from before: kept for seven days, deleted by a No, sent if telemetry is turned on again.`;
  if (state === "log")
    return `In this mode messages are printed to the product's own log and not kept.${fromBefore}`;
  if (state === "off" && held !== undefined)
    return `While telemetry is off, nothing is written.${fromBefore}`;
  if (state === "off") return "While telemetry is off there are none: nothing is written and nothing waits.";
  if (count === 0) return "There are none yet.";
  return "Newest first, each exactly as it was or will be sent. Sent messages are kept for seven days so that you can read them here.";
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

/** Renders what became of the messages, at the collector and in this process. */
function writeNumbers({ product, kept, counts }: InspectorStatus): Html | undefined {
  if (product === undefined) return undefined;
  return html`<section class="plain" aria-labelledby="numbers">
<div class="head"><h2 id="numbers">Numbers</h2></div>
${kept && writeTable("Messages since the instance got its id", deliveryRows(kept.delivery))}
${writeTable("The product's calls since this process started", [
  ["kept", counts.kept, "Written to the outbox, or printed in log mode."],
  ...Object.entries(counts.dropped).map(
    ([reason, count]): Row => [`dropped: ${reason}`, count, DROP_SENTENCES[reason] ?? ""],
  ),
  ...Object.entries(counts.trimmed).map(([what, count]): Row => {
    const [path = "", reason = ""] = what.split(" ");
    return [`trimmed: ${path}`, count, TRIM_SENTENCES[reason] ?? reason];
  }),
])}
</section>`;
}

function deliveryRows({ accepted, refused, expired, overflowed }: Delivery): readonly Row[] {
  return [
    ["accepted", accepted, "The collector accepted them."],
    ...Object.entries(refused).map(
      ([reason, count]): Row => [`refused: ${reason}`, count, explainRefused(reason)],
    ),
    ["expired", expired, "They could not be sent within seven days and were deleted."],
    ["overflowed", overflowed, "They were deleted because the outbox was full."],
  ];
}

function writeTable(caption: string, rows: readonly Row[]): Html {
  const cells = rows.map(
    ([what, count, meaning = ""]) =>
      html`<tr role="row"><th scope="row" role="rowheader">${what}</th><td role="cell" class="count" data-label="Messages">${count.toLocaleString("en-US")}</td><td role="cell" data-label="Meaning">${meaning}</td></tr>\n`,
  );
  return html`<div class="sheet"><table role="table">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">What</th><th scope="col" role="columnheader" class="count">Messages</th><th scope="col" role="columnheader">Meaning</th></tr></thead>
<tbody role="rowgroup">
${cells}</tbody>
</table></div>`;
}

function writeEnd({ here }: InspectorPage): Html {
  return html`<footer><p>The same as JSON: <a href="${here}status.json">status</a>, <a href="${here}messages.json">messages</a>, <a href="${here}messages.ndjson" download>all messages as a file</a>.
In a terminal: <code>npx @candor/node inspect</code> and <code>npx @candor/node compare</code> with the state folder.</p></footer>`;
}

/** The whole text of the page's style element: the plan page's style, and additions. */
export const INSPECTOR_STYLE = `${PAGE_STYLE}
.inspector { max-width: 60rem; margin: 0 auto; padding: 0 1.25rem 4rem; }
.inspector header { max-width: none; }
.inspector h1 { font-size: clamp(1.75rem, 1.3rem + 2vw, 2.5rem); overflow-wrap: anywhere; }
.inspector section.plain { padding-top: 2.5rem; }
.inspector header .facts > div { grid-template-columns: 9rem minmax(0, 1fr); }
.inspector time { white-space: nowrap; }
.state { font-size: 1.1875rem; line-height: 1.5; padding: 0.75rem 1rem; border-radius: 8px; border-left: 4px solid var(--soft); background: var(--sunken); }
.state.on { border-left-color: var(--accent); background: var(--technical-ground); }
.state.log { border-left-color: var(--content); background: var(--content-ground); }
.badge.sent { color: var(--technical); background: var(--technical-ground); }
.badge.waiting { color: var(--content); background: var(--content-ground); }
.sources { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); margin-top: 1rem; }
.source { border: 1px solid var(--rule); border-radius: 12px; background: var(--card); padding: 1rem 1.25rem; font-size: 0.9375rem; }
.source .head { margin-bottom: 0.5rem; }
.source p, .source details { margin: 0 0 0.625rem; }
.source .stored { color: var(--soft); }
.source ul { margin: 0.375rem 0 0; }
.source li { margin: 0; }
.source li code { background: none; padding: 0; }
form { margin: 0 0 0.625rem; }
.choices { display: flex; flex-wrap: wrap; gap: 0.625rem; }
.choices form { margin: 0; }
.receipt { max-width: 32rem; margin-bottom: 0.75rem; }
button { font: 600 0.9375rem/1.4 var(--sans); padding: 0.5rem 1rem; border-radius: 8px; border: 1px solid var(--soft); background: none; color: var(--text); cursor: pointer; text-align: left; }
button:hover { text-decoration: underline; text-underline-offset: 0.2em; }
summary { cursor: pointer; }
.messages { border: 1px solid var(--rule); border-radius: 10px; background: var(--card); overflow: hidden; }
.messages details + details { border-top: 1px solid var(--rule); }
.messages summary { padding: 0.5rem 1rem; font-size: 0.875rem; overflow-wrap: anywhere; }
.messages summary:hover { background: var(--sunken); }
.messages summary:focus-visible { outline-offset: -2px; }
.messages .what { font-weight: 600; margin-inline: 0.25rem; }
.messages .from, .messages time { color: var(--soft); margin-right: 0.25rem; white-space: nowrap; }
.messages .badge { min-width: 4.25rem; text-align: center; }
.messages pre { max-height: 40rem; border-top: 1px solid var(--rule); background: var(--sunken); }
.pages { margin-top: 1rem; }
.pages a { margin-right: 1.25rem; }
.inspector td.count, .inspector th.count { text-align: right; font-variant-numeric: tabular-nums; }
@media (max-width: 44rem) { .inspector td.count { text-align: left; } }
.inspector tbody th { overflow-wrap: anywhere; min-width: 9rem; }
.inspector footer { margin-top: 2.5rem; padding-top: 1rem; border-top: 1px solid var(--rule); color: var(--soft); font-size: 0.9375rem; }
@media (max-width: 30rem) { .inspector header .facts > div { grid-template-columns: minmax(0, 1fr); } .choices form, .choices button { width: 100%; } }
@media (forced-colors: active) { .state { border: 1px solid CanvasText; } }
@media print { button { display: none; } }
`;
