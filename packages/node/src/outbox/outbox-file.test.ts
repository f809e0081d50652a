import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { makeFolderForTest } from "../rig/in-process.ts";
import { nameOutboxFile } from "../scope.ts";
import {
  countLines,
  deleteOutboxFile,
  listOutboxFiles,
  readCursor,
  readLines,
  writeCursor,
} from "./outbox-file.ts";

it("lists files oldest first, whoever wrote them, and nothing else", async () => {
  const outbox = makeFolderForTest();
  for (const name of [
    "server-notice-20261123T120000Z-aa.ndjson",
    "installer-notice-20261122T120000Z-4f-1.ndjson",
    "client-opt-in-20261123T110000Z-bb.ndjson",
    "other-20261123T110000Z-bb.ndjson",
    "server-notice-20261123T120000Z-aa.sent",
    "notes.txt",
  ]) {
    writeFileSync(join(outbox, name), name.endsWith(".sent") ? "3\n" : "{}\n{}\n");
  }
  mkdirSync(join(outbox, "server-notice-20261123T120000Z-dir"));
  expect(await listOutboxFiles(outbox)).toEqual([
    expect.objectContaining({
      source: "installer",
      begunAtMs: Date.parse("2026-11-22T12:00:00Z"),
      sentBytes: 0,
    }),
    expect.objectContaining({ source: "client", sizeBytes: 6 }),
    expect.objectContaining({ source: "server", sizeBytes: 6, sentBytes: 3 }),
  ]);
  expect(await listOutboxFiles(join(outbox, "none"))).toEqual([]);
});

it("gives each file a name that contains its start time in UTC", () => {
  expect(
    nameOutboxFile({ source: "server", rule: "notice" }, Date.parse("2026-11-23T12:00:00.999Z")),
  ).toMatch(/^server-notice-20261123T120000Z-[0-9a-f]{12}\.ndjson$/);
});

it.each([
  ["12\n", 12],
  ["", 0],
  ["-5\n", 0],
  ["all", 0],
  ["9999999999999999999999", 0],
])("reads the cursor %j as %d", async (text, bytes) => {
  const path = join(makeFolderForTest(), "server-notice-20261123T120000Z-aa.ndjson");
  writeFileSync(path.replace(".ndjson", ".sent"), text);
  expect(await readCursor(path)).toBe(bytes);
});

it("makes a cursor accessible only to its user, and deletes it with its file", async () => {
  const path = join(makeFolderForTest(), "server-notice-20261123T120000Z-aa.ndjson");
  writeFileSync(path, "{}\n");
  await writeCursor(path, 3, () => true);
  const cursor = path.replace(".ndjson", ".sent");
  expect(readFileSync(cursor, "utf8")).toBe("3\n");
  expect(statSync(cursor).mode & 0o777).toBe(0o600);
  expect(deleteOutboxFile(path)).toBe(true);
  expect(deleteOutboxFile(path)).toBe(false);
  expect(await readCursor(path)).toBe(0);
});

it("reads every whole line once, whatever the limits, and never the incomplete one at the end", async () => {
  const path = join(makeFolderForTest(), "lines");
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: "grapheme", maxLength: 40 }).map((text) => JSON.stringify(text))),
      fc.string({ maxLength: 10 }),
      fc.integer({ min: 1, max: 64 }),
      fc.integer({ min: 1, max: 5 }),
      async (lines, half, maxBytes, maxLines) => {
        writeFileSync(path, lines.map((line) => `${line}\n`).join("") + JSON.stringify(half));
        const read: string[] = [];
        for (let at = 0; ; ) {
          const { bytes, count } = await readLines(path, at, { maxBytes, maxLines });
          if (count === 0) break;
          expect(count).toBeLessThanOrEqual(maxLines);
          at += bytes.length;
          read.push(...bytes.toString("utf8").split("\n").slice(0, -1));
        }
        expect(read).toEqual(lines);
        expect(await countLines(path, 0)).toBe(lines.length);
      },
    ),
    { numRuns: 100 },
  );
});
