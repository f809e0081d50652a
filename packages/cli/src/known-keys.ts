import { statSync } from "node:fs";
import { join } from "node:path";
import { CandorError, type Config, causeOf, type Keys, openKeys, SOURCES } from "@candor/server";

/** Said when there are no keys yet, and asking for them must not make any. */
export function toMissingSentence(config: Config): string {
  return `There are no keys in ${config.dataDir} yet: \`candor start\` makes them. If Candor runs on another folder, set CANDOR_DATA_DIR to it.`;
}

/** The same, for a command that needs the token alone, and whose collector may be elsewhere. */
export function toNoTokenSentence(config: Config): string {
  return `${toMissingSentence(config)} For a Candor elsewhere, set CANDOR_ADMIN_TOKEN to its token.`;
}

/**
 * The keys in force, from the settings and the data folder; undefined when they are not all there yet. Makes nothing.
 * @throws CandorError `keys_unreadable`, `data_folder_unwritable`
 */
export function findKeys(config: Config): Keys | undefined {
  if (isThere(join(config.dataDir, "keys.json"), config)) return openKeys(config);
  const { adminToken, writeKeys } = config;
  const { installer, server, client } = writeKeys;
  if (adminToken === undefined || !installer || !server || !client) return undefined;
  return { writeKeys: { installer, server, client }, adminToken };
}

/**
 * The token of the read API; undefined when there is none yet.
 * @throws CandorError as findKeys
 */
export function findToken(config: Config): string | undefined {
  return config.adminToken ?? findKeys(config)?.adminToken;
}

/** The keys as lines of columns. */
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
