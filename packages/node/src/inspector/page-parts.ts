/**
 * Renders the switch on the operator's page, and formats states, numbers, times and sentences for that page.
 */
import type { Answer, DenyReason } from "@candor/consent";
import { type Html, html } from "@candor/plan/describe";
import type { InspectorStatus, ProductStatus, RuleStatus, SourceStatus } from "./status.ts";

interface Shown {
  readonly status: InspectorStatus;
  /** The prefix of the forms' URLs, see `Asked`. */
  readonly here: string;
}

const TITLES = { installer: "Installer", server: "Server", client: "Client" } as const;
const RULE_WORDS = { notice: "Events that need a notice", "opt-in": "Events that need a Yes" } as const;
const ANSWER_WORDS = { yes: "Yes", no: "No", notice: "the notice was shown" } as const;

/**
 * Renders the switch and what is withheld: each source with its decisions, and the buttons that change them.
 * Undefined if the options of `createTelemetry` are unusable.
 */
export function writeSources(shown: Shown): Html | undefined {
  const { product } = shown.status;
  if (product === undefined) return undefined;
  const mayRefuse = product.sources.filter(({ answer }) => answer?.answer !== "no");
  const isOn = product.sources.some(({ rules }) => rules.some(({ allow }) => allow));
  const all: Offer = { answer: "no", text: isOn ? "Turn all telemetry off" : "Say No to all telemetry" };
  const isInstance = shown.status.kept !== undefined;
  const choices = [
    ...(mayRefuse.length > 1 || isInstance ? [writeForm(shown, all, mayRefuse)] : []),
    ...(isInstance ? [writeForm(shown, DELETE_FIRST, product.sources)] : []),
  ];
  return html`<section class="plain" aria-labelledby="switch">
<div class="head"><h2 id="switch">On or off</h2></div>
<p>An answer here takes effect at once, for every process that shares this state folder. Turning off both server and client deletes the waiting messages and the instance's id.
${othersOf(product)}</p>
${isInstance && writeDeletion(shown)}
${choices.length > 0 && html`<div class="choices">${choices}</div>`}
<div class="sources">
${product.sources.map((source) => writeSource(shown, product, source))}
</div>
</section>`;
}

const DELETE_FIRST: Offer = {
  answer: "no",
  text: "Delete at the collector, then turn all telemetry off",
  deleteFirst: true,
};

/**
 * Renders the advice to delete at the collector first. Turning telemetry off deletes the key that proves
 * which events belong to this instance, together with the id.
 */
function writeDeletion({ here }: Shown): Html {
  return html`<p>Turning everything off erases the list of sent messages and the key that proves which events came from this instance, so have the collector delete them first if you want that. It answers once they are gone, which can take minutes; nothing is sent meanwhile. Browser messages without the instance's id are not deleted.</p>
<p><a href="${here}messages.ndjson" download>Download everything that was sent</a></p>`;
}

function othersOf({ switches }: ProductStatus): Html {
  const variables = switches.disable.map(
    (name, at) => html`${at === 0 ? "" : ", "}<code>${name}=true</code>`,
  );
  return html`${variables} or <code>DO_NOT_TRACK=1</code> in the product's environment, or <code>off</code> in <code>/etc/candor/policy</code>, also turn telemetry off, whatever is answered here.`;
}

function writeSource(shown: Shown, product: ProductStatus, status: SourceStatus): Html {
  const { source, answer, rules } = status;
  const isOn = rules.some(({ allow }) => allow);
  const stored =
    answer === undefined
      ? "No answer is stored."
      : html`Stored answer: ${ANSWER_WORDS[answer.answer]}, given on <time>${answer.time.slice(0, 10)}</time> by the ${answer.by} for version ${answer.planVersion} of the plan.`;
  const offers = offersOf(status, product.plan.version);
  return html`<section class="source" aria-labelledby="source-${source}">
<div class="head"><h3 id="source-${source}">${TITLES[source]}</h3><span class="badge ${isOn ? "sent" : "plain"}">${isOn ? "on" : "off"}</span></div>
${rules.map(writeRule)}
<p class="stored">${stored}</p>
${offers.map((offer) => html`${writeForm(shown, offer, [status])}\n`)}
</section>
`;
}

function writeRule({ rule, allow, reason, coversVersion, withheld }: RuleStatus): Html {
  const words = html`<p><strong>${RULE_WORDS[rule]}: ${allow ? "sent" : "withheld"}.</strong> ${reason.sentence}</p>`;
  const { events, fields } = withheld;
  if (events.length + fields.length === 0) return words;
  const what = [
    ...(events.length === 0 ? [] : [countOf(events.length, "event", "events")]),
    ...(fields.length === 0 ? [] : [countOf(fields.length, "field", "fields")]),
  ].join(" and ");
  const why = allow ? `Withheld, because newer than version ${coversVersion}: ${what}` : `Withheld: ${what}`;
  const items = [...events.map((event) => `event ${event}`), ...fields];
  return html`${words}
<details><summary>${why}</summary><ul>${items.map((item) => html`<li><code>${item}</code></li>`)}</ul></details>`;
}

function writeForm(
  { here }: Shown,
  { answer, text, deleteFirst = false }: Offer,
  of: readonly SourceStatus[],
): Html {
  const hidden = (name: string, value: string): Html =>
    html`<input type="hidden" name="${name}" value="${value}">`;
  const sources = of.map(({ source }) => hidden("sources", source));
  return html`<form method="post" action="${here}switch">${hidden("answer", answer)}${sources}${deleteFirst && hidden("deleteFirst", "true")}<button type="submit">${text}</button></form>`;
}

/** One answer that the operator can give, with the text of its button. */
interface Offer {
  readonly answer: Answer;
  readonly text: string;
  /**
   * Whether the collector deletes what it holds about this instance before the answer is stored.
   * @default false
   */
  readonly deleteFirst?: boolean;
}

/**
 * The reasons for a denial that an answer can remove. The others depend on the environment, the product's own
 * setting, the machine's policy, or a browser.
 */
const ANSWERABLE: readonly DenyReason[] = [
  "receipt_unreadable",
  "stored_no",
  "consent_stale",
  "notice_missing",
  "consent_missing",
];

/**
 * The answers that the operator can now give for a source.
 * @param planVersion the version of the plan that an answer would cover
 */
function offersOf({ source, answer, rules }: SourceStatus, planVersion: number): readonly Offer[] {
  const offers: Offer[] = [];
  const of = `the ${source}'s telemetry`;
  const hasNew = rules.some(
    ({ allow, withheld }) => allow && withheld.events.length + withheld.fields.length > 0,
  );
  const notice = rules.find(({ rule }) => rule === "notice");
  const optIn = rules.find(({ rule }) => rule === "opt-in");
  if (hasNew) {
    const same = answer?.answer === "yes" ? "yes" : "notice";
    offers.push({ answer: same, text: `Agree to what is new in version ${planVersion} of the plan` });
  }
  if (isAnswerable(notice))
    offers.push({ answer: "notice", text: `Turn ${of} on${optIn ? ", except events that need a Yes" : ""}` });
  if (isAnswerable(optIn))
    offers.push({ answer: "yes", text: `Turn ${of} on${notice ? ", all of it" : ""}` });
  if (answer?.answer !== "no") {
    const isOn = rules.some(({ allow }) => allow);
    offers.push({ answer: "no", text: isOn ? `Turn ${of} off` : `Say No to ${of}` });
  }
  return offers;
}

function isAnswerable(status: RuleStatus | undefined): boolean {
  return status !== undefined && !status.allow && ANSWERABLE.some((reason) => reason === status.reason.code);
}

/**
 * The first sentences of the page: the state, with the numbers of waiting and sent messages if telemetry is
 * on, and the reason if it is off.
 */
export function toStatusSentence({ state, reason, product, kept }: InspectorStatus): string {
  if (state === "off") return `Telemetry is off. ${reason?.sentence ?? ""}`.trim();
  if (state === "log") return "Telemetry is in log mode: messages are printed, and nothing is sent.";
  const waiting = kept?.outbox.waiting.messages ?? 0;
  const sent = kept?.outbox.sent.messages ?? 0;
  const off = product?.sources.filter(({ rules }) => rules.every(({ allow }) => !allow)) ?? [];
  const but = off.length === 0 ? "" : `, but off for the ${joinWords(off.map(({ source }) => source))}`;
  return `Telemetry is on${but}. ${countOf(waiting, "message waits", "messages wait")}, ${countOf(sent, "was", "were")} sent in the last seven days.`;
}

/** The label of a message in the outbox: `track Instance Active`. */
export function labelOfMessage(message: unknown): string {
  if (typeof message !== "object" || message === null) return "not readable";
  const fields: { readonly type?: unknown; readonly event?: unknown; readonly name?: unknown } = message;
  return [fields.type, fields.event ?? fields.name].filter((word) => typeof word === "string").join(" ");
}

export function countOf(count: number, one: string, many: string): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

/** Renders a time in UTC, to the second; `never` if there is none. */
export function writeTime(time: string | undefined): Html {
  const atMs = Date.parse(time ?? "");
  if (Number.isNaN(atMs)) return html`never`;
  const iso = new Date(atMs).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC</time>`;
}

/** Renders a sentence, with text in backticks as code. */
export function writeCodes(sentence: string): Html {
  const parts = sentence.split(/`([^`]+)`/);
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

function joinWords(words: readonly string[]): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} and ${last}`;
}
