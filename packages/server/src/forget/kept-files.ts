import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isObject } from "@candor/envelope";
import { flushFolder } from "../log/disk.ts";
import { escapeAll } from "../store/row.ts";
import type { ForgetKind } from "./forget-request.ts";

/**
 * Removes the files that hold one of the ids as a whole value: rows that were set aside, copies of damaged segments.
 * Such rows may be broken, so they are searched as text, and a copy goes as a whole: in doubt for who is forgotten.
 * @returns how many files
 */
export async function deleteKeptFiles(
  dir: string,
  isKept: (file: string) => boolean,
  kind: ForgetKind,
  ids: readonly string[],
): Promise<number> {
  if (!existsSync(dir)) return 0;
  const fold = (text: string): string => (kind === "contact" ? text.toLowerCase() : text);
  const needles = ids.flatMap((id) => [escapeAll(JSON.stringify(id)), `\t${escapeAll(id)}\t`]).map(fold);
  const files = readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isFile() && isKept(entry.name))
    .map(({ name }) => join(dir, name))
    .filter((path) => {
      const text = fold(readLines(path));
      return needles.some((needle) => text.includes(needle));
    });
  for (const path of files) rmSync(path, { force: true });
  if (files.length > 0) await flushFolder(dir);
  return files.length;
}

/** The store's lines in a file, each between tabs, so that its first and last cells are found too. */
function readLines(path: string): string {
  const text = readFileSync(path, "utf8");
  return `\t${lineOf(text) ?? text}\t`.replaceAll("\n", "\t\n\t");
}

/** Of a row that was set aside. */
function lineOf(text: string): string | undefined {
  try {
    const row: unknown = JSON.parse(text);
    return isObject(row) && typeof row.line === "string" ? row.line : undefined;
  } catch {
    return undefined;
  }
}
