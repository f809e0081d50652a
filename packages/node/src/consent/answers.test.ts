import { readFileSync, writeFileSync } from "node:fs";
import { type ConsentRecord, writeConsentRecord } from "@candor/consent";
import { expect, it } from "vitest";
import { makeFolderForTest } from "../rig/in-process.ts";
import { openStateFolder } from "../state/state-folder.ts";
import { storeConsentRecords } from "./answers.ts";

function receipt(source: ConsentRecord["source"], answer: ConsentRecord["answer"]): ConsentRecord {
  const time = "2026-11-23T12:00:00.000Z";
  return { source, answer, time, planVersion: 2, planHash: "a".repeat(64), by: "inspector" };
}

it("appends an answer to the stored ones", () => {
  const folder = openStateFolder(makeFolderForTest());
  storeConsentRecords(folder, [receipt("server", "notice")]);
  storeConsentRecords(folder, [receipt("server", "no"), receipt("client", "no")]);
  const all = [receipt("server", "notice"), receipt("server", "no"), receipt("client", "no")];
  expect(readFileSync(folder.receipts, "utf8")).toBe(all.map(writeConsentRecord).join(""));
});

it("replaces a file that cannot be parsed, but keeps each No in it", () => {
  const folder = openStateFolder(makeFolderForTest());
  const before = [receipt("server", "no"), receipt("installer", "notice")].map(writeConsentRecord).join("");
  writeFileSync(folder.receipts, `${before}{"source":"cli`);
  storeConsentRecords(folder, [receipt("client", "yes")]);
  const after = [receipt("server", "no"), receipt("client", "yes")].map(writeConsentRecord).join("");
  expect(readFileSync(folder.receipts, "utf8")).toBe(after);
});
