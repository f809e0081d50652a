/** Owns how commands find and show the plan's file. */
import { isAbsolute, relative } from "node:path";
import { readSettings } from "../environment.ts";

/**
 * The plan's file: the named one, or else the one of the settings.
 * @throws CandorError `settings_invalid`, only if none was named
 */
export function findPlanFile(named: string | undefined): string {
  return named ?? toNearPath(readSettings().planFile, process.cwd());
}

/** A path as somebody in `workingDir` would write it: relative if it is below. */
export function toNearPath(path: string, workingDir: string): string {
  const near = relative(workingDir, path);
  return near === "" || near.startsWith("..") || isAbsolute(near) ? path : near;
}
