/** Finds the plan's file, and shortens its path for display. */
import { isAbsolute, relative } from "node:path";
import { readSettings } from "../environment.ts";

/**
 * Returns the path of the plan's file: the given one, or else the one in the settings.
 * @throws CandorError `settings_invalid`, only if none was given
 */
export function findPlanFile(named: string | undefined): string {
  return named ?? toNearPath(readSettings().planFile, process.cwd());
}

/**
 * Returns a path as somebody in `workingDir` would write it: relative if it is below that folder, otherwise
 * unchanged.
 */
export function toNearPath(path: string, workingDir: string): string {
  const near = relative(workingDir, path);
  return near === "" || near.startsWith("..") || isAbsolute(near) ? path : near;
}
