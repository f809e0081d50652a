/** Owns the files of rows that the embedded engine reads. */
import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Characters with a special meaning in a path that is given to the store's `file` function. */
const PATTERN_CHARACTERS = /[*?{}[\]|:\\]/;

/**
 * Files of rows that the embedded engine reads itself. They are copies of rows in the log and are needed only
 * during the insert. So they are not flushed, and `empty` deletes those that a crash leaves behind.
 */
export interface RowFiles {
  /**
   * Runs `insert` with the path of a file that contains exactly these lines, and deletes the file afterwards.
   * A path is never used twice: an earlier insert that is still running may find its file missing, but never
   * a different file or an incomplete one. Returns undefined without calling `insert` if no file could be
   * written, or if the engine would read the path as a pattern. The file is written synchronously.
   */
  use(lines: Buffer, insert: (path: string) => Promise<void>): Promise<void> | undefined;
  /** Deletes the folder with everything in it. */
  empty(): void;
}

/**
 * Opens the folder of the row files.
 * @param dir created when the first file is written
 */
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

/**
 * Returns false if the copy of the rows cannot be written, such as on a full disk. Sending the rows may still
 * work, because the store needs only a tenth of the space.
 */
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
