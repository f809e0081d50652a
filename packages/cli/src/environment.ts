import { env } from "node:process";
import { type Config, readConfig } from "@candor/server";

/**
 * The settings of this process. The one place where the command line touches the environment.
 * @throws CandorError `settings_invalid`
 */
export function readSettings(): Config {
  return readConfig(env);
}
