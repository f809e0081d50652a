import { escapeHtml } from "@candor/plan/describe";
import { type Offer, offersOf } from "./offers.ts";
import type { InspectorStatus, ProductStatus, RuleStatus, SourceStatus } from "./status.ts";
import { countOf } from "./words.ts";

interface Shown {
  readonly status: InspectorStatus;
  /** What the addresses of forms begin with. */
  readonly here: string;
}

const TITLES = { installer: "Installer", server: "Server", client: "Client" } as const;
const RULE_WORDS = { notice: "Events that need a notice", "opt-in": "Events that need a Yes" } as const;
const ANSWER_WORDS = { yes: "Yes", no: "No", notice: "the notice was shown" } as const;

/** The switch, and what is withheld: each source with its decisions, and with the buttons that change them. */
export function writeSources(shown: Shown): string {
  const { product } = shown.status;
  if (product === undefined) return "";
  const mayRefuse = product.sources.filter(({ answer }) => answer?.answer !== "no");
  const isOn = product.sources.some(({ rules }) => rules.some(({ allow }) => allow));
  const all: Offer = { answer: "no", text: isOn ? "Turn all telemetry off" : "Say No to all telemetry" };
  const isInstance = shown.status.kept !== undefined;
  const choices = [
    ...(mayRefuse.length > 1 || isInstance ? [writeForm(shown, all, mayRefuse)] : []),
    ...(isInstance ? [writeForm(shown, DELETE_FIRST, product.sources)] : []),
  ];
  return `<section class="plain" aria-labelledby="switch">
<div class="head"><h2 id="switch">The switch</h2></div>
<p>What you answer here holds at once, for everything that shares this state folder. Turned off for the server and the client, it deletes what waits and the instance's id.
${othersOf(product)}</p>
${isInstance ? writeDeletion(shown) : ""}
${choices.length === 0 ? "" : `<div class="choices">${choices.join("")}</div>`}
<div class="sources">
${product.sources.map((source) => writeSource(shown, product, source)).join("\n")}
</div>
</section>`;
}

const DELETE_FIRST: Offer = {
  answer: "no",
  text: "Delete at the collector, then turn all telemetry off",
  deleteFirst: true,
};

/** The key that proves which events are this instance's goes with the id. */
function writeDeletion({ here }: Shown): string {
  return `<p>Turning everything off erases the list of what was sent, and the key that proves which events came from this instance. To have the collector delete them, ask before you turn it off. The collector answers once they are gone, which can take minutes; nothing is sent meanwhile. Browsers' messages without the instance's id stay.</p>
<p><a href="${escapeHtml(here)}messages.ndjson" download>Download everything that was sent</a></p>`;
}

function othersOf({ switches }: ProductStatus): string {
  const variable = `<code>${escapeHtml(switches.disable)}=true</code>`;
  return `${variable} or <code>DO_NOT_TRACK=1</code> in the product's environment, and <code>off</code> in <code>/etc/candor/policy</code>, turn it off too; no answer here overrules them.`;
}

function writeSource(shown: Shown, product: ProductStatus, status: SourceStatus): string {
  const { source, answer, rules } = status;
  const isOn = rules.some(({ allow }) => allow);
  const stored =
    answer === undefined
      ? "No answer is stored."
      : `Stored answer: ${ANSWER_WORDS[answer.answer]}, given on <time>${escapeHtml(answer.time.slice(0, 10))}</time> by the ${answer.by} for version ${answer.planVersion} of the plan.`;
  const offers = offersOf(status, product.plan.version);
  return `<section class="source" aria-labelledby="source-${source}">
<div class="head"><h3 id="source-${source}">${TITLES[source]}</h3><span class="badge ${isOn ? "sent" : "plain"}">${isOn ? "on" : "off"}</span></div>
${rules.map(writeRule).join("\n")}
<p class="stored">${stored}</p>
${offers.map((offer) => writeForm(shown, offer, [status])).join("\n")}
</section>`;
}

function writeRule({ rule, allow, reason, coversVersion, withheld }: RuleStatus): string {
  const words = `<p><strong>${RULE_WORDS[rule]}: ${allow ? "sent" : "withheld"}.</strong> ${escapeHtml(reason.sentence)}</p>`;
  const { events, fields } = withheld;
  if (events.length + fields.length === 0) return words;
  const what = [
    ...(events.length === 0 ? [] : [countOf(events.length, "event", "events")]),
    ...(fields.length === 0 ? [] : [countOf(fields.length, "field", "fields")]),
  ].join(" and ");
  const why = allow ? `Withheld, because newer than version ${coversVersion}: ${what}` : `Withheld: ${what}`;
  const items = [...events.map((event) => `event ${event}`), ...fields];
  return `${words}
<details><summary>${why}</summary><ul>${items.map((item) => `<li><code>${escapeHtml(item)}</code></li>`).join("")}</ul></details>`;
}

function writeForm(
  { here }: Shown,
  { answer, text, deleteFirst = false }: Offer,
  of: readonly SourceStatus[],
): string {
  const hidden = (name: string, value: string): string =>
    `<input type="hidden" name="${name}" value="${value}">`;
  return `<form method="post" action="${escapeHtml(here)}switch">${hidden("answer", answer)}${of
    .map(({ source }) => hidden("sources", source))
    .join(
      "",
    )}${deleteFirst ? hidden("deleteFirst", "true") : ""}<button type="submit">${escapeHtml(text)}</button></form>`;
}
