/** For tests: the notice that the kit shows, and the answers that people give. */
import { hashOf, type TableName } from "./tables.ts";

/** The notice for the Appsmith plan, as the kit writes it to stderr. */
export const NOTICE = `Appsmith tells its makers how this install goes and, later, that it is in use: https://example.com/telemetry.
To send nothing, set APPSMITH_DISABLE_TELEMETRY=true.
`;

/** Returns a consent record as another run would have written it to receipts.ndjson. */
export function receipt(source: string, answer: string, table: TableName = "first", version = 1): string {
  return `{"source":"${source}","answer":"${answer}","time":"2026-11-20T08:00:00Z","planVersion":${version},"planHash":"${hashOf(table)}","by":"installer"}\n`;
}
