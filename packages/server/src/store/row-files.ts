/** Owns the files of rows that the embedded engine reads. */
import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** These have a special meaning in a path that is given to the store's `file` function. */
const PATTERN_CHARACTERS = /[*?{}[\]|:\\]/;

/**
 * Files of rows that the embedded engine reads by itself. They are copies of what the log contains and are needed
 * only during the insert: they are not flushed, and `empty` deletes what a crash leaves.
 */
export interface RowFiles {
  /**
   * Runs `insert` with the path of a file that contains exactly these lines, and deletes it afterwards. A path is
   * never used twice: an earlier insert that still runs may find its file missing, but never another file or half of
   * one. Returns undefined, without calling `insert`, if no file could be written. The file is written synchronously.
   */
  use(lines: Buffer, insert: (path: string) => Promise<void>): Promise<void> | undefined;
  /** Deletes what is in the folder. */
  empty(): void;
}

/** @param dir created if it is missing */
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

/** False if there is no room for a copy of the rows. Sending them may still work: the store needs a tenth of it. */
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
