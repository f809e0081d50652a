import { scrypt } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { makeFolderForTest } from "../rig/in-process.ts";
import { openStateFolder } from "../state/state-folder.ts";
import { OutboxWriter, type OutboxWriterOptions } from "./outbox-writer.ts";

function open(options: Partial<OutboxWriterOptions> = {}) {
  const dir = makeFolderForTest();
  const folder = openStateFolder(join(dir, "telemetry"));
  const seen = { writtenBytes: 0, rotated: 0, lost: 0 };
  const writer = new OutboxWriter({
    folder,
    scope: { source: "server", rule: "notice" },
    now: Date.now,
    maxFileBytes: 1_000_000,
    maxFileAgeMs: 86_400_000,
    mayWrite: () => true,
    signal: new AbortController().signal,
    onGathered: () => {},
    onWritten: (bytes) => {
      seen.writtenBytes += bytes;
    },
    onRotated: () => {
      seen.rotated += 1;
    },
    onFault: (_error, lines) => {
      seen.lost += lines;
    },
    ...options,
  });
  const texts = (): readonly string[] =>
    readdirSync(folder.outbox)
      .sort()
      .map((name) => readFileSync(join(folder.outbox, name), "utf8"));
  return { writer, folder, seen, texts };
}

it("writes lines in order, into one file, without a flush", async () => {
  const { writer, texts, seen } = open();
  for (let line = 0; line < 500; line += 1) writer.append(`{"n":${line},"é":1}`);
  await expect.poll(() => seen.writtenBytes).toBeGreaterThan(0);
  const [text = "", ...more] = texts();
  expect(more).toEqual([]);
  expect(text.split("\n").slice(0, -1)).toEqual(Array.from({ length: 500 }, (_, n) => `{"n":${n},"é":1}`));
  expect(seen.writtenBytes).toBe(Buffer.byteLength(text));
});

it("loses nothing, and writes nothing twice, if the process ends in the middle of a write", async () => {
  const { writer, texts } = open();
  writer.append("1");
  const flushed = writer.flush();
  writer.append("2");
  writer.flushSync();
  writer.append("3");
  writer.flushSync();
  await flushed;
  expect(texts()).toEqual(["1\n2\n3\n"]);
});

it("begins another file if the current one is full or old", async () => {
  let nowMs = Date.parse("2026-11-23T12:00:00Z");
  const { writer, seen, texts } = open({ maxFileBytes: 10, maxFileAgeMs: 1000, now: () => nowMs });
  for (const line of ["0123456789", "b", "c"]) {
    writer.append(line);
    await writer.flush();
    nowMs += 100;
  }
  expect(new Set(texts())).toEqual(new Set(["0123456789\n", "b\nc\n"]));
  nowMs += 1000;
  writer.append("d");
  await writer.flush();
  expect(texts()).toContain("d\n");
  expect(seen.rotated).toBe(2);
});

it("continues in another file if somebody deleted the open one", async () => {
  const { writer, folder, texts, seen } = open();
  writer.append("a");
  await writer.flush();
  for (const name of readdirSync(folder.outbox)) unlinkSync(join(folder.outbox, name));
  writer.append("b");
  await writer.flush();
  expect(texts()).toEqual(["b\n"]);
  rmSync(folder.dir, { recursive: true });
  writer.append("c");
  await writer.flush();
  expect(texts()).toEqual(["c\n"]);
  expect(seen.lost).toBe(0);
});

it("discards lines, and opens nothing, if they may not be written", async () => {
  const { writer, folder } = open({ mayWrite: () => false });
  writer.append("a");
  await writer.flush();
  writer.flushSync();
  expect(() => readdirSync(folder.outbox)).toThrow("ENOENT");
});

it("discards waiting lines when it is told to", async () => {
  const { writer, folder } = open();
  writer.append("a");
  writer.discard();
  expect(writer.append("b")).toBe(false);
  await writer.flush();
  expect(() => readdirSync(folder.outbox)).toThrow("ENOENT");
});

it("reports lines that cannot be written, and continues when it can", async () => {
  const { writer, folder, seen, texts } = open();
  mkdirSync(folder.dir, { recursive: true });
  writeFileSync(folder.outbox, "a file where the folder should be");
  writer.append("a");
  writer.append("b");
  await writer.flush();
  expect(seen.lost).toBe(2);
  rmSync(folder.outbox);
  writer.append("c");
  await writer.flush();
  expect(texts()).toEqual(["c\n"]);
});

it("rejects lines if too much is waiting for the disk", () => {
  const { writer } = open();
  const line = "x".repeat(1024 * 1024);
  const taken = Array.from({ length: 40 }, () => writer.append(line)).filter(Boolean).length;
  expect(taken).toBe(32);
  writer.discard();
});

it("writes lines again if their file was deleted during the write, unless nothing may be written any more", async () => {
  let mayWrite = true;
  const { writer, folder, texts, seen } = open({ mayWrite: () => mayWrite });
  writer.append("1");
  await writer.flush();
  const deleteAll = (): void => {
    for (const name of readdirSync(folder.outbox)) rmSync(join(folder.outbox, name));
  };
  writer.append("2");
  writer.append("3");
  const written = writer.flush();
  deleteAll();
  writer.append("4");
  await written;
  expect(texts()).toEqual(["2\n3\n4\n"]);
  writer.append("5");
  const refused = writer.flush();
  deleteAll();
  mayWrite = false;
  await refused;
  expect([texts(), seen.lost]).toEqual([[], 0]);
});

it("does not close a file descriptor while a write to it is in progress", async () => {
  const { writer, folder } = open();
  // All threads of the pool are busy, so the write has to wait.
  const busy = Array.from({ length: 8 }, () => scryptLater());
  writer.append("telemetry");
  const flushed = writer.flush();
  writer.flushSync();
  writer.discard();
  const victim = join(folder.dir, "the-product's-own");
  const fd = openSync(victim, "w+");
  writeSync(fd, "own bytes");
  await Promise.all([flushed, ...busy]);
  closeSync(fd);
  expect(readFileSync(victim, "utf8")).toBe("own bytes");
});

function scryptLater(): Promise<void> {
  return new Promise((resolve) =>
    scrypt("a", "b", 64, { N: 32_768, maxmem: 256 * 1024 * 1024 }, () => resolve()),
  );
}
