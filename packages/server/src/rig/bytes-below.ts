/** For tests: reads everything below a folder. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** For tests: every byte and every name below a folder. A file deleted meanwhile counts by its name. */
export function bytesBelow(dir: string): string {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => path + (isFile(path) ? readFileSync(path, "latin1") : ""))
    .join("\n");
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
