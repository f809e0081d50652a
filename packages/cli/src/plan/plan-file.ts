/** Finds the plan's file, and shortens its path for display. */
import { isAbsolute, relative } from "node:path";
import { CandorError, listPlanFiles } from "@candor/server";
import { readSettings } from "../environment.ts";

/**
 * Returns the path of the plan's file: the given one, or else the one in the settings.
 * @throws CandorError `settings_invalid`, `plans_missing`, `plan_ambiguous`, only if none was given
 */
export function findPlanFile(named: string | undefined): string {
  if (named !== undefined) return named;
  const [file = "", ...others] = listPlanFiles(readSettings().planPaths);
  if (others.length > 0) throw new CandorError("plan_ambiguous");
  return toNearPath(file, process.cwd());
}

/**
 * Returns a path as somebody in `workingDir` would write it: relative if it is below that folder, otherwise
 * unchanged.
 */
export function toNearPath(path: string, workingDir: string): string {
  const near = relative(workingDir, path);
  return near === "" || near.startsWith("..") || isAbsolute(near) ? path : near;
}
