import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** In the name that the store's function `file` takes, these mean more than themselves. */
const PATTERN_CHARACTERS = /[*?{}[\]|:\\]/;

/**
 * Files of rows that the embedded engine reads by itself. They are copies of what the log holds: needed only while the
 * insert runs, so they are not flushed, and what a crash leaves is deleted by `empty`.
 */
export interface RowFiles {
  /**
   * Runs `insert` with the path of a file that holds exactly these lines, and deletes it afterwards. A path is never
   * used twice: an insert of before that still runs can meet a missing file, but not another one or a part of it.
   * Undefined, without a call, when no file could be written. Synchronous until then.
   */
  use(lines: Buffer, insert: (path: string) => Promise<void>): Promise<void> | undefined;
  /** Deletes what is in the folder. */
  empty(): void;
}

/** @param dir is made when it is missing */
export function openRowFiles(dir: string): RowFiles {
  const isPlain = !PATTERN_CHARACTERS.test(dir);
  return {
    use: (lines, insert) => {
      const path = join(dir, `${randomUUID()}.tsv`);
      if (!isPlain || !tryWrite(path, lines)) return undefined;
      return insert(path).finally(() => rmSync(path, { force: true }));
    },
    empty: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** False when there is no room for a copy of the rows; the store needs but a tenth of it. */
function tryWrite(path: string, lines: Buffer): boolean {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch {
    return false;
  }
  try {
    writeFileSync(path, lines, { flag: "wx", mode: 0o600 });
    return true;
  } catch {
    rmSync(path, { force: true });
    return false;
  }
}
