import { env } from "node:process";
import { toReachable } from "@candor/node/operator";
import { type Config, readConfig } from "@candor/server";

/**
 * The settings of this process. The one place where the command line touches the environment.
 * @throws CandorError `settings_invalid`
 */
export function readSettings(): Config {
  return readConfig(env);
}

/** Where somebody has said that the collector is. @throws CandorError `settings_invalid` */
export function readCollectorUrl(): string | undefined {
  const { CANDOR_URL = "" } = env;
  return CANDOR_URL === "" ? undefined : toReachable(readSettings().url);
}

/** The script that npm or npx is running, if one of them started this process. */
export function readNpmScript(): string | undefined {
  const { npm_lifecycle_script: script } = env;
  return script;
}

/** In a hook git names its repository in the environment, relative to a folder that is not the one we ask it about. */
const GIT_PLACES = new Set(["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"]);

/** The environment in which git looks for the repository by itself. */
export function readGitEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !GIT_PLACES.has(name)));
}
