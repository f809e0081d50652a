import { existsSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { listOutboxFiles, readLines, writeCursor } from "../outbox/outbox-file.ts";
import { OutboxWriter } from "../outbox/outbox-writer.ts";
import { makeFolderForTest } from "../rig/in-process.ts";
import { makeFolder, openStateFolder } from "../state/state-folder.ts";
import { sweepOutbox } from "./sweep.ts";

const MAX_BYTES = 1_000_000;
const LINES = 1500;

it("loses no line that is written during a sweep: a file that looked delivered may be in use", async () => {
  const folder = openStateFolder(join(makeFolderForTest(), "telemetry"));
  makeFolder(folder);
  // This file is as large as the size limit, so the outbox exceeds the limit with any other file. Each sweep
  // deletes the delivered files first, and then this file, which is the oldest.
  const ballast = join(folder.outbox, "server-notice-20200101T000000Z-ba11a57.ndjson");
  const taken = new Set<string>();
  let isOver = false;
  const sweep = async (): Promise<void> => {
    while (!isOver) {
      if (!existsSync(ballast)) writeFileSync(ballast, "");
      truncateSync(ballast, MAX_BYTES);
      await sweepOutbox(folder, MAX_BYTES, Date.now());
    }
  };
  const send = async (): Promise<void> => {
    for (const { path, sentBytes } of await listOutboxFiles(folder.outbox)) {
      if (path === ballast) continue;
      const lines = await readLines(path, sentBytes, { maxBytes: 65_536, maxLines: 1000 }).catch(
        () => undefined,
      );
      if (lines === undefined || lines.count === 0) continue;
      for (const line of lines.bytes.toString().trimEnd().split("\n")) taken.add(line);
      await writeCursor(path, sentBytes + lines.bytes.length, () => true);
    }
  };
  const sendAll = async (): Promise<void> => {
    while (!isOver) await send();
  };
  const writer = new OutboxWriter({
    folder,
    scope: { source: "server", rule: "notice" },
    signal: new AbortController().signal,
    onGathered: () => {},
    now: Date.now,
    maxFileBytes: MAX_BYTES,
    maxFileAgeMs: Number.POSITIVE_INFINITY,
    mayWrite: () => true,
    onWritten: () => {},
    onRotated: () => {},
    onFault: (error) => {
      throw error;
    },
  });
  const working = Promise.all([sweep(), sendAll()]);
  const written = Array.from({ length: LINES }, (_, n) => `{"n":${n}}`);
  for (const line of written) {
    writer.append(line);
    await writer.flush();
    await sleep(1); // so that the line can be delivered and swept
  }
  isOver = true;
  await working;
  await send();
  expect(written.filter((line) => !taken.has(line))).toEqual([]);
});
