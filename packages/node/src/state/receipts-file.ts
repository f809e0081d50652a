import { mkdirSync } from "node:fs";
import { type Receipt, readReceipts, writeReceipt } from "@candor/consent";
import { appendText, readText } from "./plain-file.ts";
import { replaceFile, type StateFolder } from "./state-folder.ts";

/**
 * Appends answers to receipts.ndjson. A file that cannot be understood denies everything: a new answer replaces it, but for
 * each No that can be read in it, because whoever answers for one source has said nothing of the others.
 * @throws the file system's error
 */
export function storeReceipts(folder: StateFolder, receipts: readonly Receipt[]): void {
  const lines = receipts.map(writeReceipt).join("");
  mkdirSync(folder.dir, { recursive: true, mode: 0o700 });
  const text = readText(folder.receipts);
  if (typeof text === "string" && readReceipts(text) === undefined)
    replaceFile(folder.receipts, `${refusalsIn(text)}${lines}`);
  else appendText(folder.receipts, lines);
}

function refusalsIn(text: string): string {
  const lines = text.split("\n").map((line) => `${line}\n`);
  return lines.filter((line) => readReceipts(line)?.[0]?.answer === "no").join("");
}
