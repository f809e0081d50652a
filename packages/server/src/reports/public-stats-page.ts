/** Renders the public statistics as a page, and as a badge for a README. */
import { html, htmlDocument, PAGE_STYLE } from "@candor/plan/describe";
import type { PublicFact, PublicStats } from "./public-stats.ts";

/** Hyphens at which a line does not break. */
const day = (text: string): string => text.replaceAll("-", "\u2011");
const count = (instances: number): string => instances.toLocaleString("en");

/**
 * Renders the page: no script, nothing loaded, the style of the page "what is collected".
 * @param privacyHref the address of that page, relative to this one
 */
export function renderStatsPage(stats: PublicStats, privacyHref: string): string {
  const { product, from, to, minGroup, instances } = stats;
  const title = `${product} in numbers`;
  const facts = stats.facts.filter(({ values }) => values.length > 0);
  const body = html`<div class="frame">
<main id="content">
<header>
<h1>${title}</h1>
<div class="lead"><p>${
    instances === 0
      ? html`Fewer than ${count(minGroup)} instances are active: too few to publish numbers.`
      : html`At least <strong>${count(instances)}</strong> instances were active from ${day(from)} to ${day(to)}.`
  }</p></div>
<p>Counted from what instances report. All numbers are rounded down to multiples of ${count(minGroup)}, so that no number, and no difference
between two of them, gives a few instances away. <a href="${privacyHref}">What is collected, and how to stop it</a>.</p>
</header>
${facts.map((fact) => renderFact(fact, stats))}
</main>
</div>`;
  return htmlDocument(title, PAGE_STYLE, body);
}

function renderFact({ name, values }: PublicFact, { instances }: PublicStats) {
  const id = `fact-${name}`;
  const rows = values.map(
    (one) => html`<tr role="row"><th scope="row" role="rowheader">${one.value}</th>
<td role="cell" data-label="instances">${count(one.instances)}</td>
<td role="cell" data-label="share">${instances === 0 ? "" : `${Math.round((100 * one.instances) / instances)}%`}</td></tr>
`,
  );
  return html`<section class="plain" aria-labelledby="${id}">
<div class="head"><h2 id="${id}">${name}</h2></div>
<table role="table" aria-labelledby="${id}">
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">value</th><th scope="col" role="columnheader">instances</th><th scope="col" role="columnheader">share, about</th></tr></thead>
<tbody role="rowgroup">
${rows}</tbody>
</table>
</section>
`;
}

const LABEL = "instances";
const HEIGHT = 20;
const LETTER_WIDTH = 6.6;
const PADDING = 12;

/** Renders a badge: an SVG that says how many instances are active. */
export function renderStatsBadge({ instances }: PublicStats): string {
  const text = instances === 0 ? "too few to tell" : `${count(instances)}+ active`;
  const [left, right] = [LABEL, text].map((part) => Math.round(part.length * LETTER_WIDTH + PADDING)) as [
    number,
    number,
  ];
  const width = left + right;
  return `${html`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" role="img" aria-label="${LABEL}: ${text}">
<title>${LABEL}: ${text}</title>
<rect width="${width}" height="${HEIGHT}" rx="3" fill="#3d4148"/>
<path d="M${left} 0h${right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-${right - 3}z" fill="#0b5f66"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="${left / 2}" y="14">${LABEL}</text>
<text x="${left + right / 2}" y="14">${text}</text>
</g>
</svg>
`}`;
}
