/** Reads the command line's environment: settings, npm's script, git's variables. */
import { env } from "node:process";
import { toReachable } from "@candor/node/operator";
import { type Config, readConfig } from "@candor/server";

/**
 * Reads the settings of this process.
 * @throws CandorError `settings_invalid`
 */
export function readSettings(): Config {
  return readConfig(env);
}

/**
 * Returns the collector's address from CANDOR_URL; undefined if that is not set.
 * @throws CandorError `settings_invalid`
 */
export function readCollectorUrl(): string | undefined {
  const { CANDOR_URL = "" } = env;
  return CANDOR_URL === "" ? undefined : toReachable(readSettings().url);
}

/** Returns the script that npm or npx is running, if one of them started this process. */
export function readNpmScript(): string | undefined {
  const { npm_lifecycle_script: script } = env;
  return script;
}

/**
 * Variables that git sets for a hook. They describe the hook's repository, but the plan may be in another
 * one.
 */
const GIT_PLACES = new Set(["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"]);

/** Returns the environment without the variables that would point git to another repository. */
export function readGitEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !GIT_PLACES.has(name)));
}

/** Whether only this machine can connect to a server that listens on `host`. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
