import { parseFields, toReachable } from "@candor/node/operator";
import { CandorError, type Config } from "@candor/server";
import { ask } from "../collector.ts";
import { findToken } from "../known-keys.ts";
import { type Check, warn } from "./verdict.ts";

const TIMEOUT_MS = 3000;

/** Asks the running collector how many instances were copied; undefined when it does not say. */
export async function examineClones(config: Config): Promise<number | undefined> {
  const token = findTokenQuietly(config);
  if (token === undefined) return undefined;
  try {
    const { status, body } = await ask(`${toReachable(config.url)}/api/reports/instances`, TIMEOUT_MS, token);
    const cloned = status === 200 ? parseFields(body)?.cloned : undefined;
    return Array.isArray(cloned) ? cloned.length : undefined;
  } catch {
    return undefined; // what is wrong with the collector, its own check says
  }
}

/** Keys that cannot be read are the folder's matter. */
function findTokenQuietly(config: Config): string | undefined {
  try {
    return findToken(config);
  } catch (error) {
    if (error instanceof CandorError) return undefined;
    throw error;
  }
}

/** Nothing is said of it where all is well. */
export function checkInstances(clones: number | undefined): Check[] {
  if (clones === undefined || clones === 0) return [];
  const sentence =
    clones === 1
      ? "1 instance sends from two places at once: its folder was copied; see GET /api/reports/instances."
      : `${clones} instances send from two places at once: their folder was copied; see GET /api/reports/instances.`;
  return [warn("instances", sentence)];
}
