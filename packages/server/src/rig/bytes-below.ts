/** For tests: reads all file names and contents below a folder. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * For tests: returns the names and contents of all files below a folder. Of a file that is deleted meanwhile,
 * only the name is included.
 */
export function bytesBelow(dir: string): string {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => path + (isFile(path) ? readFileSync(path, "latin1") : ""))
    .join("\n");
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
