/** Measures how long reports take, in a separate process for each number of events. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const MEASURE = fileURLToPath(new URL("../../packages/server/dist/rig/report-cost.js", import.meta.url));

/** Measures and renders a table for each number of events, each in its own store. */
export async function reportTable(events: readonly number[]): Promise<string> {
  const tables: string[] = [];
  for (const count of events) {
    const { stdout } = await promisify(execFile)(process.execPath, [MEASURE, String(count)]);
    tables.push(`    ${stdout.trimEnd().replaceAll("\n", "\n    ")}`);
  }
  return tables.join("\n\n");
}
