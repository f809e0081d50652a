/** Renders the public page as Markdown. */
import type { Badge, Block, Fact, Line, PlanPage, Section, Span, Table } from "./page.ts";

/**
 * Renders the page as GitHub Flavored Markdown that ends in a line break. All text from the plan is escaped.
 */
export function renderMarkdown(page: PlanPage): string {
  const blocks = [
    `# ${writeSpan(page.title)}`,
    ...page.lead.map(writeBlock),
    writeFacts(page.facts),
    ...page.sections.flatMap((section) => writeSection(section, 2)),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function writeSection(section: Section, level: number): readonly string[] {
  return [
    `${"#".repeat(level)} ${writeSpan(section.title)}`,
    ...(section.badges.length === 0 ? [] : [section.badges.map(writeBadge).join(" ")]),
    ...section.blocks.map(writeBlock),
    ...section.sections.flatMap((inner) => writeSection(inner, level + 1)),
  ];
}

function writeBlock(block: Block): string {
  switch (block.kind) {
    case "text":
      return writeLine(block.line);
    case "warning":
      return `> [!CAUTION]\n> ${writeLine(block.line)}`;
    case "list":
      return block.items
        .map((item, index) => `${block.ordered ? `${index + 1}.` : "-"} ${writeLine(item)}`)
        .join("\n");
    case "facts":
      return writeFacts(block.facts);
    case "table":
      return writeTable(block);
    case "sample":
      return `${escapeText(block.caption)}:\n\n${writeFence(block.json)}`;
  }
}

function writeFacts(facts: readonly Fact[]): string {
  return facts.map(({ term, line }) => `- **${escapeText(term)}**: ${writeLine(line)}`).join("\n");
}

function writeTable(table: Table): string {
  const rows = [
    table.head.map(escapeText),
    table.head.map(() => "---"),
    ...table.rows.map((row) => row.map(writeCell)),
  ];
  return `${escapeText(table.caption)}:\n\n${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}`;
}

/** A bar would end the cell even inside code, so it is escaped there too. */
function writeCell(line: Line): string {
  return line
    .map((span) => (isCode(span) ? writeSpan(span).replaceAll("|", "\\|") : writeSpan(span)))
    .join("");
}

function isCode(span: Span): span is { readonly code: string } {
  return typeof span !== "string" && "code" in span;
}

function writeLine(line: Line): string {
  return line.map(writeSpan).join("");
}

function writeSpan(span: Span): string {
  if (typeof span === "string") return escapeText(span);
  if ("code" in span) return writeCode(span.code);
  if ("badge" in span) return writeBadge(span.badge);
  if ("alarm" in span) return `**${escapeText(span.alarm)}**`;
  return writeLink(span.link, span.text);
}

function writeLink(link: string, text: string): string {
  const address = link.replace(/[\s<>()\\|`]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
  return text === link ? `<${address}>` : `[${escapeText(text)}](${address})`;
}

function writeBadge(badge: Badge): string {
  return `_${escapeText(badge.text)}_`;
}

/** Renders code, delimited by more backquotes than the text contains in a row. */
function writeCode(text: string): string {
  const fence = "`".repeat(longestRun(text) + 1);
  const padding = text.startsWith("`") || text.endsWith("`") || text.trim() === "" ? " " : "";
  return `${fence}${padding}${text.replace(/\s+/g, " ")}${padding}${fence}`;
}

function writeFence(text: string): string {
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}json\n${text}\n${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}

/** Renders text as one line, in which no character has a special meaning in Markdown. */
function escapeText(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\\`*_[\]~|#$]/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/^(\s*)([-+])/, "$1\\$2")
    .replace(/^(\s*\d+)([.)])/, "$1\\$2");
}
