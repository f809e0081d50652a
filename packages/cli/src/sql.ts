/** Implements `candor sql`, which runs one query of the maker on what a running collector has stored. */
import { text } from "node:stream/consumers";
import { askSql } from "./collector.ts";
import { type ProductOption, withCollector } from "./keys.ts";
import { print } from "./terminal.ts";

export interface SqlOptions extends ProductOption {
  readonly format: "csv" | "ndjson";
}

/**
 * Prints the result of a query, which is read from standard input if it is not given. Resolves to 0, or to 2 if
 * nothing was asked.
 * @throws Refused, CandorError `unreachable`, `settings_invalid`
 */
export async function runSql(query: string | undefined, options: SqlOptions): Promise<number> {
  return withCollector(options, async (collector) => {
    await print(await askSql(collector, query ?? (await text(process.stdin)), options.format));
    return 0;
  });
}
