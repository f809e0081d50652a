/** Renders the public page as HTML. */
import { type Html, html, htmlDocument } from "./html-tag.ts";
import type { Badge, Block, Fact, Line, PlanPage, Section, Span, Table } from "./page.ts";
import { PAGE_STYLE } from "./style.ts";

/**
 * Renders the page as one self-contained HTML document, which contains no script and loads nothing. Its only
 * style element contains PAGE_STYLE unchanged, so that a Content-Security-Policy can allow the style by its
 * hash. All text from the plan is escaped.
 */
export function renderHtml(page: PlanPage): string {
  const body = html`<a class="skip" href="#content">Skip to the content</a>
<div class="frame">
${writeContents(page)}
<main id="content" tabindex="-1">
<header>
<h1>${page.title}</h1>
${page.lead.map((block) => html`<div class="lead">${writeBlock(block, "lead")}</div>\n`)}
${writeFacts(page.facts, "facts across")}
</header>
${page.sections.map((section) => writeSection(section, 2))}
</main>
</div>`;
  return htmlDocument(page.title, PAGE_STYLE, body);
}

function writeContents(page: PlanPage): Html {
  return html`<nav aria-label="On this page">
<details><summary>On this page</summary>
${listSections(page.sections)}
</details>
</nav>`;
}

function listSections(sections: readonly Section[]): Html | undefined {
  if (sections.length === 0) return undefined;
  const items = sections.map(
    ({ id, title, sections: inner }) =>
      html`<li><a href="#${id}">${writeTitle(title)}</a>${listSections(inner)}</li>\n`,
  );
  return html`<ul>\n${items}</ul>`;
}

/** A title for the table of contents, where names are not formatted as code. */
function writeTitle(title: Span): Html {
  return typeof title === "object" && "code" in title ? breakable(title.code) : writeSpan(title);
}

function writeSection(section: Section, level: number): Html {
  const { id, title, kind, badges, blocks, sections } = section;
  const heading = html`<h${level} id="${id}">${writeSpan(title)}<a class="anchor" href="#${id}" aria-hidden="true" tabindex="-1">#</a></h${level}>`;
  const marks =
    badges.length > 0 && html`<p class="badges">${badges.map((badge) => html`${writeBadge(badge)} `)}</p>`;
  return html`<section class="${kind}" aria-labelledby="${id}">
<div class="head">${heading}${marks}</div>
${blocks.map((block, index) => html`${writeBlock(block, `${id}-${index}`, kind === "event")}\n`)}
${sections.map((inner) => writeSection(inner, level + 1))}
</section>
`;
}

function writeBlock(block: Block, id: string, isFolded = false): Html {
  switch (block.kind) {
    case "text":
      return html`<p>${writeLine(block.line)}</p>`;
    case "warning":
      return html`<p class="warning" role="note">${writeLine(block.line)}</p>`;
    case "list": {
      const tag = block.ordered ? "ol" : "ul";
      return html`<${tag}>\n${block.items.map((item) => html`<li>${writeLine(item)}</li>\n`)}</${tag}>`;
    }
    case "facts":
      return writeFacts(block.facts, "facts");
    case "table":
      return writeTable(block, `caption-${id}`, isFolded);
    case "sample":
      return writeSample(block.caption, block.json, `caption-${id}`);
  }
}

function writeFacts(facts: readonly Fact[], className: string): Html {
  const pairs = facts.map(({ term, line }) => html`<div><dt>${term}</dt><dd>${writeLine(line)}</dd></div>\n`);
  return html`<dl class="${className}">\n${pairs}</dl>`;
}

/**
 * The roles are explicit, because browsers ignore a table's semantics when CSS changes its `display`, as it
 * does on narrow screens.
 */
function writeTable(table: Table, captionId: string, isFolded: boolean): Html {
  const rows = table.rows.map((row) => {
    const cells = row.map((line, index) =>
      index === 0
        ? html`<th scope="row" role="rowheader">${writeLine(line)}</th>`
        : html`<td role="cell" data-label="${table.head[index] ?? ""}">${writeLine(line)}</td>`,
    );
    return html`<tr role="row">${cells}</tr>\n`;
  });
  const tag = isFolded ? "details" : "div";
  const caption = isFolded ? "summary" : "p";
  return html`<${tag} class="sheet">
<${caption} class="caption" id="${captionId}">${table.caption}</${caption}>
<table role="table" aria-labelledby="${captionId}" class="columns-${table.head.length} ${table.of}">
<thead role="rowgroup"><tr role="row">${table.head.map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}</tr></thead>
<tbody role="rowgroup">
${rows}</tbody>
</table>
</${tag}>`;
}

function writeSample(caption: string, json: string, captionId: string): Html {
  return html`<details class="sample">
<summary id="${captionId}">${caption}</summary>
<pre role="region" aria-labelledby="${captionId}" tabindex="0"><code>${colourJson(json)}</code></pre>
</details>`;
}

const JSON_STRING = /("(?:[^"\\]|\\.)*")(\s*:)?/g;

/** Renders JSON as HTML, with its keys and strings marked for colour. */
export function colourJson(json: string): readonly (Html | string)[] {
  const written: (Html | string)[] = [];
  let end = 0;
  for (const match of json.matchAll(JSON_STRING)) {
    const [whole, text = "", colon] = match;
    const tag = colon === undefined ? "i" : "b";
    written.push(json.slice(end, match.index), html`<${tag}>${text}</${tag}>${colon}`);
    end = match.index + whole.length;
  }
  return [...written, json.slice(end)];
}

function writeLine(line: Line): readonly Html[] {
  return line.map(writeSpan);
}

function writeSpan(span: Span): Html {
  if (typeof span === "string") return writeText(span);
  if ("code" in span) return writeCode(span.code);
  if ("badge" in span) return writeBadge(span.badge);
  if ("alarm" in span) return html`<strong class="alarm">${span.alarm}</strong>`;
  return html`<a href="${span.link}">${breakable(span.text)}</a>`;
}

/** Renders text. Dates do not break across lines. */
function writeText(text: string): Html {
  const parts = text.split(/(\b\d{4}-\d{2}-\d{2}\b)/);
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<time>${part}</time>` : part))}`;
}

/** Renders code. Short code stays on one line, and a long command gets its own lines. */
function writeCode(text: string): Html {
  if (text.length <= 24) return html`<code class="short">${text}</code>`;
  return html`<code${text.length > 60 && html` class="long"`}>${breakable(text)}</code>`;
}

function writeBadge(badge: Badge): Html {
  return html`<span class="badge ${badge.tone}">${badge.text}</span>`;
}

/** Lets a text break after an underscore, a dot or a slash, if a letter follows. */
function breakable(text: string): Html {
  const [first = "", ...others] = text.split(/(?<=[_./])(?=[A-Za-z])/);
  return html`${first}${others.map((part) => html`<wbr>${part}`)}`;
}
