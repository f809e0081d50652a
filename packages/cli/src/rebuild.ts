/** Implements `candor rebuild`, which rebuilds rollups from the events, and compares them. */
import { askForMonth, askForRollups, type Rollups } from "./collector.ts";
import { type ProductOption, withCollector } from "./keys.ts";
import { print } from "./terminal.ts";

export interface RebuildOptions extends ProductOption {
  /** The months to rebuild, such as 2026-01. @default all */
  readonly month?: readonly string[];
  /** Whether only to compare. */
  readonly check?: boolean;
  readonly json?: boolean;
}

/**
 * Rebuilds the rollups month by month, unless `check` is set, and compares them with the events. Resolves to
 * 0 if they are equal, to 1 if they differ, or to 2 if there is no token.
 * @throws Refused, CandorError `unreachable`, `settings_invalid`, and what findToken throws
 */
export async function rebuild(options: RebuildOptions): Promise<number> {
  const { month = [], check = false, json = false } = options;
  return withCollector(options, async (collector) => {
    let found = await askForRollups(collector);
    const months = check ? [] : month.length > 0 ? month : found.months;
    for (const [index, one] of months.entries()) {
      await askForMonth(collector, one);
      if (!json) await print(`${one} is rebuilt (${index + 1} of ${months.length}).\n`);
    }
    if (months.length > 0) found = await askForRollups(collector);
    await print(json ? `${JSON.stringify({ rebuilt: months, ...found }, null, 2)}\n` : render(found));
    return found.differences.length === 0 ? 0 : 1;
  });
}

function render({ months, differences }: Rollups): string {
  if (differences.length === 0)
    return `What reports read equals the events, in ${months.length} ${months.length === 1 ? "month" : "months"}.\n`;
  const lines = differences.map(
    ({ month, rollup, events, counted }) => `  ${month}  ${rollup}: ${counted} counted, ${events} events\n`,
  );
  return `What reports read differs from the events:\n${lines.join("")}Run candor rebuild. If it differs after that, it is a bug in Candor: please report it.\n`;
}
