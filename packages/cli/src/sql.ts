/** Implements `candor sql`, which runs one query of the maker on what a running collector has stored. */
import { text } from "node:stream/consumers";
import { refuse, toReachable } from "@candor/node/operator";
import { askSql } from "./collector.ts";
import { readSettings } from "./environment.ts";
import { findToken, toNoTokenSentence } from "./keys.ts";
import { endWithReader, print } from "./terminal.ts";

export interface SqlOptions {
  readonly format: "csv" | "ndjson";
}

/**
 * Prints the result of a query, which is read from standard input if it is not given. Resolves to 0, or to 2 if
 * nothing was asked.
 * @throws Refused, CandorError `unreachable`, `settings_invalid`
 */
export async function runSql(query: string | undefined, { format }: SqlOptions): Promise<number> {
  endWithReader();
  const config = readSettings();
  const token = findToken(config);
  if (token === undefined) return refuse(toNoTokenSentence(config));
  const sql = query ?? (await text(process.stdin));
  await print(await askSql({ url: toReachable(config.url), token }, sql, format));
  return 0;
}
