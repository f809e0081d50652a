/** Reads the settings with which `npm run conformance:show` finds a collector. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readConfig, readKeys } from "@candor/server";

export interface Settings {
  /** The collector's URL, without a trailing slash. */
  readonly url: string;
  /** The write key of the server source. */
  readonly writeKey: string;
  readonly adminToken: string;
}

/**
 * Reads the settings from the same variables and by the same rules as `candor start`. `CANDOR_URL` (default
 * http://127.0.0.1:7226) is the collector's URL. The keys are read from `CANDOR_WRITE_KEYS` and
 * `CANDOR_ADMIN_TOKEN`, or from keys.json in `CANDOR_DATA_DIR` (default ./.candor). Creates no keys.
 * @throws CandorError `settings_invalid`, `keys_unreadable`; Error if there are no keys yet
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const config = readConfig(environment);
  const { url, dataDir, adminToken } = config;
  const writeKey = config.writeKeys.find(({ source }) => source === "server")?.key;
  if (writeKey !== undefined && adminToken !== undefined) return { url, writeKey, adminToken };
  const file = join(dataDir, "keys.json");
  if (!existsSync(file)) {
    throw new Error(
      `There are no keys in ${file}. Start Candor first (npm start), or, if it keeps its data elsewhere, set CANDOR_DATA_DIR to that folder, or set CANDOR_WRITE_KEYS=server:KEY and CANDOR_ADMIN_TOKEN.`,
    );
  }
  const keys = readKeys(config);
  return { url, writeKey: keys.writeKeys.server, adminToken: keys.adminToken };
}
