import { appendFileSync, mkdirSync } from "node:fs";
import { type Receipt, readReceipts, writeReceipt } from "@candor/consent";
import { readText, replaceFile, type StateFolder } from "./state-folder.ts";

/**
 * Appends answers to receipts.ndjson. A file that cannot be understood denies everything: a new answer replaces it.
 * @throws the file system's error
 */
export function storeReceipts(folder: StateFolder, receipts: readonly Receipt[]): void {
  const lines = receipts.map(writeReceipt).join("");
  mkdirSync(folder.dir, { recursive: true, mode: 0o700 });
  const text = readText(folder.receipts);
  if (typeof text === "string" && readReceipts(text) === undefined) replaceFile(folder.receipts, lines);
  else appendFileSync(folder.receipts, lines, { mode: 0o600, flush: true });
}
