/** For tests: reads all file names and contents below a folder that another process may be writing to. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Returns the names and contents as one text. If a file or folder is deleted meanwhile, only its name is
 * included.
 */
export function bytesBelow(dir: string): string {
  return unlessGone(() => readdirSync(dir, { withFileTypes: true }), [])
    .map((entry) => {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) return `${path}\n${bytesBelow(path)}`;
      return path + (entry.isFile() ? unlessGone(() => readFileSync(path, "latin1"), "") : "");
    })
    .join("\n");
}

function unlessGone<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return otherwise;
    throw error;
  }
}
