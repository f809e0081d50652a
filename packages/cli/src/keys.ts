/** Implements `candor keys`, and finds the token for other commands. */
import { refuse, toReachable } from "@candor/node/operator";
import { type Config, findKeys, type Keys, readFirstProduct, SOURCES, type WriteKeys } from "@candor/server";
import type { Asked } from "./collector.ts";
import { readSettings } from "./environment.ts";
import { endWithReader, print } from "./terminal.ts";

/**
 * Prints the write keys and the admin token, as columns or in the JSON format of keys.json. Resolves to 0, or
 * to 1 if there are no keys yet.
 * @throws CandorError `settings_invalid`, and what findKeys throws
 */
export async function printKeys({ json = false }: { readonly json?: boolean }): Promise<number> {
  endWithReader();
  const config = readSettings();
  const keys = findKeys(config);
  if (keys === undefined) {
    process.stderr.write(`${toMissingSentence(config)}\n`);
    return 1;
  }
  await print(
    json ? `${JSON.stringify(keys, null, 2)}\n` : renderKeys(keys, readFirstProduct(config.dataDir)),
  );
  return 0;
}

/** Returns the message for an operator whose data folder has no keys yet. */
export function toMissingSentence(config: Config): string {
  return `There are no keys in ${config.dataDir} yet: \`candor start\` creates them. If Candor uses another folder, set CANDOR_DATA_DIR to it.`;
}

/** Returns the message for a command that needs only the token. Its collector may run on another machine. */
export function toNoTokenSentence(config: Config): string {
  return `${toMissingSentence(config)} For a Candor elsewhere, set CANDOR_ADMIN_TOKEN to its token.`;
}

/**
 * Returns the token of the read API, from the settings or else from keys.json. Undefined if there is none
 * yet.
 * @throws the same CandorError as findKeys
 */
export function findToken(config: Config): string | undefined {
  return config.adminToken ?? findKeys(config)?.adminToken;
}

/** The option of commands that are about one product, for the help. */
export const PRODUCT = ["--product <name>", "which product, if the collector serves several"] as const;

/** The option of commands that are about one product. */
export interface ProductOption {
  /** The product's name. It may be left out if the collector serves only one. */
  readonly product?: string | undefined;
}

/**
 * Runs a command that asks the running collector as its admin. Resolves to the command's exit code, or to 2, with
 * a sentence on stderr, if there is no token.
 * @throws CandorError `settings_invalid`, and what findToken and the command throw
 */
export async function withCollector(
  { product }: ProductOption,
  command: (collector: Asked) => Promise<number>,
): Promise<number> {
  endWithReader();
  const config = readSettings();
  const token = findToken(config);
  if (token === undefined) return refuse(toNoTokenSentence(config));
  return command({ url: toReachable(config.url), token, product });
}

/** Renders the keys in columns, those of each product under its name if there are several. */
export function renderKeys({ writeKeys, products = {}, adminToken }: Keys, first = "first product"): string {
  const several = Object.entries(products);
  const rowsOf = (keys: WriteKeys): string[][] =>
    SOURCES.map((source, at) => [at === 0 ? "Write keys" : "", source.padEnd(9), keys[source]]);
  const rows = [
    ["Token     ", "admin    ", adminToken],
    ...(several.length === 0 ? [] : [["Product", first]]),
    ...rowsOf(writeKeys),
    ...several.flatMap(([name, keys]) => [["Product", name], ...rowsOf(keys)]),
  ];
  return rows.map(([label = "", ...rest]) => `${label.padEnd(10)}  ${rest.join("  ")}\n`).join("");
}
