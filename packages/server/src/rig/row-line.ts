/**
 * For tests: builds the line of an event's row with its columns in order, so that a new column has to be
 * added in one place only.
 */
import { EVENT_TARGET } from "../row.ts";

const USUAL: Readonly<Record<string, string>> = {
  source: "server",
  type: "track",
  event: "E",
  timestamp: "2026-03-01T00:00:00.000",
  receivedAt: "2026-03-01T00:00:00.000",
  sequence: "0",
  planVersion: "1",
  sentPlanVersion: "0",
  skipped: "0",
  trimmed: "[]",
  envelope: "{}",
};

/**
 * Builds an event's line.
 * @param cells values by column, as TabSeparated text; columns that are not given have a usual value or are
 * empty
 * @throws Error for a column that does not exist
 */
export function rowLine(cells: Readonly<Record<string, string>>): string {
  const unknown = Object.keys(cells).filter((name) => !EVENT_TARGET.columns.includes(name));
  if (unknown.length > 0) throw new Error(`no such column: ${unknown.join(", ")}`);
  return `${EVENT_TARGET.columns.map((name) => cells[name] ?? USUAL[name] ?? "").join("\t")}\n`;
}
