import { isAbsolute, relative } from "node:path";
import { readSettings } from "../environment.ts";

/**
 * The plan's file: the one that was named, else that of the settings.
 * @throws CandorError `settings_invalid`, only when none was named
 */
export function findPlanFile(named: string | undefined): string {
  return named ?? toNearPath(readSettings().planFile, process.cwd());
}

/** An absolute path as people in `workingDir` write it: relative when it is below. */
export function toNearPath(path: string, workingDir: string): string {
  const near = relative(workingDir, path);
  return near === "" || near.startsWith("..") || isAbsolute(near) ? path : near;
}
