/** Formats figures and tables for printing. */
import { cpus, totalmem } from "node:os";

/**
 * A Markdown table whose cells are padded to the width of their column. The first column is left-aligned, the
 * others are right-aligned.
 */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => pad(cells[column] ?? "", width, column)).join(" | ")} |`;
  const rule = `|${widths.map((width, column) => "-".repeat(width + 1) + (column === 0 ? "-" : ":")).join("|")}|`;
  return [line(header), rule, ...rows.map(line)].join("\n");
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

/** Describes the machine in one line, because figures mean nothing without the machine. */
export function machineFacts(): string {
  const cores = cpus();
  const memoryGb = (totalmem() / 2 ** 30).toFixed(0);
  return `${cores.length} cores ${cores[0]?.model ?? "unknown"}, ${memoryGb} GB, Node ${process.versions.node}, ${process.platform}`;
}

/** Formats a number like `12,345`. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/**
 * Formats a number with two decimals below ten, with one below a hundred, and otherwise with none; `-` if it
 * is not finite.
 */
export function formatMs(value: number): string {
  if (!Number.isFinite(value)) return "-";
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
}

export function formatPercent(share: number): string {
  return `${(share * 100).toFixed(0)}%`;
}

export function formatMb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
