/** Implements `candor keys`, and finds the keys in force for other commands. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { refuse, toReachable } from "@candor/node/operator";
import { CandorError, type Config, causeOf, type Keys, readKeys, SOURCES } from "@candor/server";
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
  await print(json ? `${JSON.stringify(keys, null, 2)}\n` : renderKeys(keys));
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
 * Returns the keys in force: those of the settings, and for the others those of keys.json. Undefined if there
 * is no keys.json and the settings do not have all keys. Creates nothing.
 * @throws CandorError `keys_unreadable`, `data_folder_unwritable`
 */
export function findKeys(config: Config): Keys | undefined {
  if (isThere(join(config.dataDir, "keys.json"), config)) return readKeys(config);
  const { adminToken, writeKeys } = config;
  const { installer, server, client } = writeKeys;
  if (adminToken === undefined || !installer || !server || !client) return undefined;
  return { writeKeys: { installer, server, client }, adminToken };
}

/**
 * Returns the token of the read API, from the settings or else from keys.json. Undefined if there is none
 * yet.
 * @throws the same CandorError as findKeys
 */
export function findToken(config: Config): string | undefined {
  return config.adminToken ?? findKeys(config)?.adminToken;
}

/**
 * Runs a command that asks the running collector as its admin. Resolves to the command's exit code, or to 2, with
 * a sentence on stderr, if there is no token.
 * @throws CandorError `settings_invalid`, and what findToken and the command throw
 */
export async function withCollector(command: (collector: Asked) => Promise<number>): Promise<number> {
  endWithReader();
  const config = readSettings();
  const token = findToken(config);
  if (token === undefined) return refuse(toNoTokenSentence(config));
  return command({ url: toReachable(config.url), token });
}

export function renderKeys(keys: Keys): string {
  const rows = SOURCES.map((source, at) => [
    at === 0 ? "Write keys" : "",
    source.padEnd(9),
    keys.writeKeys[source],
  ]);
  return [["Token     ", "admin    ", keys.adminToken], ...rows]
    .map(([label = "", ...rest]) => `${label.padEnd(10)}  ${rest.join("  ")}\n`)
    .join("");
}

function isThere(path: string, config: Config): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    const cause = causeOf(error);
    if (cause === "ENOENT" || cause === "ENOTDIR") return false;
    throw new CandorError("data_folder_unwritable", { folder: config.dataDir, cause }, error);
  }
}
