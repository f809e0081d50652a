/** Deletes files of the quarantine and copies of damaged segment files that contain a forgotten id. */
import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { isObject } from "@candor/envelope";
import { CandorError, causeOf } from "../errors.ts";
import { flushFolder } from "../log/disk.ts";
import { escapeAll } from "../row.ts";
import type { Sought } from "./stored-rows.ts";

/**
 * Deletes the files of a folder that `isKept` selects and that contain one of the ids as a whole value. The
 * files may be malformed, so they are searched as text. A file is deleted as a whole, because deleting too
 * much is better than keeping a forgotten id.
 * @returns the number of deleted files for each subject, in order; a file that contains several subjects
 * counts for each
 * @throws CandorError `forget_incomplete` if a file cannot be read
 */
export async function deleteKeptFiles(
  dir: string,
  isKept: (file: string) => boolean,
  sought: readonly Sought[],
): Promise<number[]> {
  const removed = sought.map(() => 0);
  if (!existsSync(dir)) return removed;
  const finders = sought.map(toFinder);
  const files = (await readdir(dir, { withFileTypes: true })).filter(
    (entry) => entry.isFile() && isKept(entry.name),
  );
  for (const { name } of files) {
    const path = join(dir, name);
    const content = await read(path);
    if (content === undefined) continue;
    const text = readLines(content);
    const found = finders.map((isIn) => isIn(text));
    if (!found.includes(true)) continue;
    await rm(path, { force: true });
    for (const [n, isFound] of found.entries()) if (isFound) removed[n] = (removed[n] ?? 0) + 1;
  }
  if (removed.some((files) => files > 0)) await flushFolder(dir);
  return removed;
}

/**
 * Returns a file's content; undefined if the file is gone.
 * @throws CandorError `forget_incomplete` if it cannot be read
 */
async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (causeOf(error) === "ENOENT") return undefined;
    throw new CandorError("forget_incomplete", { what: `${path}, which cannot be read: delete it` }, error);
  }
}

function toFinder({ kind, ids }: Sought): (text: string) => boolean {
  const fold = (text: string): string => (kind === "contact" ? text.toLowerCase() : text);
  const needles = ids.flatMap((id) => [escapeAll(JSON.stringify(id)), `\t${escapeAll(id)}\t`]).map(fold);
  return (text) => {
    const folded = fold(text);
    return needles.some((needle) => folded.includes(needle));
  };
}

/**
 * Returns the rows of a file, each with a tab before and after it, so that an id in the first or last cell is
 * found too.
 */
function readLines(text: string): string {
  return `\t${lineOf(text) ?? text}\t`.replaceAll("\n", "\t\n\t");
}

/** Returns the row inside a quarantine file; undefined if the text is not such a file. */
function lineOf(text: string): string | undefined {
  try {
    const row: unknown = JSON.parse(text);
    return isObject(row) && typeof row.line === "string" ? row.line : undefined;
  } catch {
    return undefined;
  }
}
