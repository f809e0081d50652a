import type { Badge, Block, Fact, Line, PlanPage, Section, Span, Table } from "./page.ts";
import { PAGE_STYLE } from "./style.ts";

/**
 * The page as one HTML document that needs nothing else: no script, no request. Its only style element holds
 * PAGE_STYLE as it is, so that a Content-Security-Policy can allow it by its hash. All of a plan's text is escaped.
 */
export function renderHtml(page: PlanPage): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(page.title)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<div class="frame">
${writeContents(page)}
<main id="content" tabindex="-1">
<header>
<h1>${escapeHtml(page.title)}</h1>
${page.lead.map((block) => `<div class="lead">${writeBlock(block, "lead")}</div>`).join("\n")}
${writeFacts(page.facts, "facts across")}
</header>
${page.sections.map((section) => writeSection(section, 2)).join("\n")}
</main>
</div>
</body>
</html>
`;
}

function writeContents(page: PlanPage): string {
  return `<nav aria-label="On this page">
<p>On this page</p>
${listSections(page.sections)}
</nav>`;
}

function listSections(sections: readonly Section[]): string {
  if (sections.length === 0) return "";
  const items = sections.map(
    ({ id, title, sections: inner }) =>
      `<li><a href="#${id}">${writeTitle(title)}</a>${listSections(inner)}</li>`,
  );
  return `<ul>\n${items.join("\n")}\n</ul>`;
}

/** In the contents a name stands as plain text. */
function writeTitle(title: Span): string {
  return typeof title === "object" && "code" in title ? breakable(title.code) : writeSpan(title);
}

function writeSection(section: Section, level: number): string {
  const { id, title, kind, badges, blocks, sections } = section;
  const heading = `<h${level} id="${id}">${writeSpan(title)}<a class="anchor" href="#${id}" aria-hidden="true" tabindex="-1">#</a></h${level}>`;
  const marks = badges.length === 0 ? "" : `<p class="badges">${badges.map(writeBadge).join(" ")}</p>`;
  return `<section class="${kind}" aria-labelledby="${id}">
<div class="head">${heading}${marks}</div>
${blocks.map((block, index) => writeBlock(block, `${id}-${index}`)).join("\n")}
${sections.map((inner) => writeSection(inner, level + 1)).join("\n")}
</section>`;
}

function writeBlock(block: Block, id: string): string {
  switch (block.kind) {
    case "text":
      return `<p>${writeLine(block.line)}</p>`;
    case "warning":
      return `<p class="warning" role="note">${writeLine(block.line)}</p>`;
    case "list": {
      const tag = block.ordered ? "ol" : "ul";
      return `<${tag}>\n${block.items.map((item) => `<li>${writeLine(item)}</li>`).join("\n")}\n</${tag}>`;
    }
    case "facts":
      return writeFacts(block.facts, "facts");
    case "table":
      return writeTable(block, `caption-${id}`);
    case "sample":
      return writeSample(block.caption, block.json, `caption-${id}`);
  }
}

function writeFacts(facts: readonly Fact[], className: string): string {
  const pairs = facts.map(
    ({ term, line }) => `<div><dt>${escapeHtml(term)}</dt><dd>${writeLine(line)}</dd></div>`,
  );
  return `<dl class="${className}">\n${pairs.join("\n")}\n</dl>`;
}

/** Wide tables scroll inside of a region that the keyboard reaches. */
function writeTable(table: Table, captionId: string): string {
  const head = table.head.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join("");
  const rows = table.rows.map((row) => {
    const cells = row.map((line, index) =>
      index === 0 ? `<th scope="row">${writeLine(line)}</th>` : `<td>${writeLine(line)}</td>`,
    );
    return `<tr>${cells.join("")}</tr>`;
  });
  return `<div class="scroll columns-${table.head.length}" role="region" aria-labelledby="${captionId}" tabindex="0">
<table>
<caption><span id="${captionId}">${escapeHtml(table.caption)}</span></caption>
<thead><tr>${head}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
</div>`;
}

function writeSample(caption: string, json: string, captionId: string): string {
  return `<figure>
<figcaption id="${captionId}">${escapeHtml(caption)}</figcaption>
<pre role="region" aria-labelledby="${captionId}" tabindex="0"><code>${colourJson(json)}</code></pre>
</figure>`;
}

const JSON_STRING = /("(?:[^"\\]|\\.)*")(\s*:)?/g;

/** JSON as HTML, with its keys and strings marked for colour. */
export function colourJson(json: string): string {
  let written = "";
  let end = 0;
  for (const match of json.matchAll(JSON_STRING)) {
    const [whole, text = "", colon] = match;
    const tag = colon === undefined ? "i" : "b";
    written += `${escapeHtml(json.slice(end, match.index))}<${tag}>${escapeHtml(text)}</${tag}>${colon ?? ""}`;
    end = match.index + whole.length;
  }
  return written + escapeHtml(json.slice(end));
}

function writeLine(line: Line): string {
  return line.map(writeSpan).join("");
}

function writeSpan(span: Span): string {
  if (typeof span === "string") return escapeHtml(span);
  if ("code" in span) return writeCode(span.code);
  if ("badge" in span) return writeBadge(span.badge);
  if ("alarm" in span) return `<strong class="alarm">${escapeHtml(span.alarm)}</strong>`;
  return `<a href="${escapeHtml(span.link)}">${breakable(span.text)}</a>`;
}

/** Short code stays on one line; a long command gets lines of its own. */
function writeCode(text: string): string {
  if (text.length <= 24) return `<code class="short">${escapeHtml(text)}</code>`;
  return `<code${text.length > 60 ? ' class="long"' : ""}>${breakable(text)}</code>`;
}

function writeBadge(badge: Badge): string {
  return `<span class="badge ${badge.tone}">${escapeHtml(badge.text)}</span>`;
}

/** Lets a long name break after an underscore, a dot or a slash. */
function breakable(text: string): string {
  return escapeHtml(text).replace(/[_./](?=[A-Za-z])/g, "$&<wbr>");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
