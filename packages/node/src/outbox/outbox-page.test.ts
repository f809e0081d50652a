import { appendFileSync, mkdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeFolderForTest } from "../rig/in-process.ts";
import type { Source } from "../scope.ts";
import { countOutbox, type OutboxMessage, readOutboxPage } from "./outbox-page.ts";

const NOON_MS = Date.parse("2026-11-23T12:00:00.000Z");

interface FileOnDisk {
  readonly source?: Source;
  readonly name?: string;
  /** When the file was begun, in seconds after noon. */
  readonly begunAtS: number;
  /** The time of each line, in seconds after noon. */
  readonly lines: readonly number[];
  readonly sentLines?: number;
  readonly torn?: string;
}

function lineOf(name: string, number: number, second: number): string {
  const timestamp = new Date(NOON_MS + second * 1000).toISOString();
  return JSON.stringify({ type: "track", event: "É", messageId: `${name}-${number}`, timestamp });
}

/** Writes a file as a process would: its modification time is the time of its last line. */
function put(
  outbox: string,
  { source = "server", name = "a", begunAtS, lines, sentLines = 0, torn = "" }: FileOnDisk,
) {
  mkdirSync(outbox, { recursive: true });
  const begun = new Date(NOON_MS + begunAtS * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  const path = join(outbox, `${source}-notice-${begun}Z-${name}`);
  const texts = lines.map((second, number) => `${lineOf(name, number, second)}\n`);
  writeFileSync(`${path}.ndjson`, texts.join("") + torn);
  if (sentLines > 0)
    writeFileSync(`${path}.sent`, `${Buffer.byteLength(texts.slice(0, sentLines).join(""))}\n`);
  const writtenAtS = (NOON_MS + Math.max(begunAtS, ...lines) * 1000) / 1000;
  utimesSync(`${path}.ndjson`, writtenAtS, writtenAtS);
  return `${path}.ndjson`;
}

const idsOf = (messages: readonly OutboxMessage[]): readonly string[] =>
  messages.map(({ line }) => JSON.parse(line).messageId);

/** Reads all pages in order. */
async function readAll(outbox: string, limit: number, between: () => void = () => {}) {
  const pages: (readonly OutboxMessage[])[] = [];
  for (let before: string | undefined, more = true; more; between()) {
    const page = await readOutboxPage(outbox, { limit, before });
    if (page === undefined) throw new Error(`not a place: ${before}`);
    pages.push(page.messages);
    before = page.next;
    more = before !== undefined;
  }
  return pages;
}

describe("a page of the outbox", () => {
  it("shows the newest messages first, unchanged, and which of them were sent", async () => {
    const outbox = makeFolderForTest();
    put(outbox, { begunAtS: 0, lines: [1, 2, 3], sentLines: 2, torn: '{"type":"tra' });
    const line = (number: number) => lineOf("a", number, number + 1);
    const message = (number: number) => JSON.parse(line(number));
    expect(await readOutboxPage(outbox)).toEqual({
      messages: [
        { state: "waiting", source: "server", line: line(2), message: message(2) },
        { state: "sent", source: "server", line: line(1), message: message(1) },
        { state: "sent", source: "server", line: line(0), message: message(0) },
      ],
      next: undefined,
    });
  });

  it("merges the files of all processes by time, and pages through them without a gap", async () => {
    const outbox = makeFolderForTest();
    put(outbox, { name: "a", begunAtS: 0, lines: [1, 4, 9] });
    put(outbox, { name: "b", begunAtS: 2, lines: [3, 5, 8], source: "client" });
    put(outbox, { name: "c", begunAtS: 6, lines: [7] });
    expect((await readAll(outbox, 2)).map(idsOf)).toEqual([
      ["a-2", "b-2"],
      ["c-0", "b-1"],
      ["a-1", "b-0"],
      ["a-0"],
    ]);
  });

  it("shows every message once, whatever their times, even while more are written", async () => {
    const second = fc.integer({ min: -5, max: 30 });
    const file = fc.record({
      begunAtS: fc.integer({ min: 0, max: 20 }),
      lines: fc.array(second, { maxLength: 12 }),
    });
    const outbox = join(makeFolderForTest(), "outbox");
    await fc.assert(
      fc.asyncProperty(
        fc.array(file, { maxLength: 6 }),
        fc.integer({ min: 1, max: 7 }),
        async (files, limit) => {
          rmSync(outbox, { recursive: true, force: true });
          const paths = files.map((each, number) => put(outbox, { ...each, name: `f${number}` }));
          const [first] = paths;
          const grow = (): void => {
            if (first !== undefined) appendFileSync(first, `${lineOf("new", 0, -5)}\n`);
          };
          const ids = (await readAll(outbox, limit, grow))
            .flatMap(idsOf)
            .filter((id) => !id.startsWith("new"));
          const all = files.flatMap(({ lines }, number) => lines.map((_, line) => `f${number}-${line}`));
          expect([...ids].sort()).toEqual(all.sort());
        },
      ),
      { numRuns: 200 },
    );
  });

  it("shows very long lines, and lines that are not JSON", async () => {
    const outbox = makeFolderForTest();
    const path = put(outbox, { begunAtS: 0, lines: [1] });
    const long = JSON.stringify({ messageId: "long", text: "ö".repeat(200_000) });
    appendFileSync(path, `${long}\nno JSON\n`);
    const page = await readOutboxPage(outbox);
    expect(page?.messages.map(({ line }) => line)).toEqual(["no JSON", long, lineOf("a", 0, 1)]);
    expect(page?.messages[0]?.message).toBe(null);
  });

  it("shows files of many megabytes in pages of a few, in overall order", async () => {
    const outbox = makeFolderForTest();
    const filler = "x".repeat(100_000);
    for (const [name, step] of [
      ["a", 1],
      ["b", 2],
    ] as const) {
      const path = put(outbox, { name, begunAtS: 0, lines: [] });
      for (let second = step; second <= 200; second += step) {
        const line = JSON.parse(lineOf(name, second, second));
        appendFileSync(path, `${JSON.stringify({ ...line, filler })}\n`);
      }
      const lastS = NOON_MS / 1000 + 200;
      utimesSync(path, lastS, lastS);
    }
    const pages = await readAll(outbox, 1000);
    for (const page of pages) {
      expect(page.reduce((sum, { line }) => sum + line.length, 0)).toBeLessThan(9_000_000);
    }
    const times = pages.flat().map(({ line }) => JSON.parse(line).timestamp);
    expect(times).toEqual([...times].sort().reverse());
    expect(new Set(pages.flatMap(idsOf)).size).toBe(300);
    expect(times).toHaveLength(300);
  });

  it("reads neither the whole of a file of gigabytes, nor what precedes a line of megabytes", async () => {
    const outbox = makeFolderForTest();
    const paths = ["a", "b", "c"].map((name) => put(outbox, { name, begunAtS: 0, lines: [] }));
    for (const path of paths) {
      truncateSync(path, 3 * 1024 ** 3); // a hole, which occupies no disk space
      appendFileSync(path, `\n${lineOf("end", 1, 1)}\n${lineOf("end", 2, 2)}\n`);
    }
    const before = process.memoryUsage().rss;
    const startMs = performance.now();
    expect((await readAll(outbox, 2)).flatMap(idsOf).sort()).toEqual(
      ["end-1", "end-2"].flatMap((id) => [id, id, id]),
    );
    expect(performance.now() - startMs).toBeLessThan(10_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(500_000_000);
  });

  it("is empty if there is no outbox, or only a torn line", async () => {
    const outbox = makeFolderForTest();
    expect(await readOutboxPage(join(outbox, "none"))).toEqual({ messages: [], next: undefined });
    put(outbox, { begunAtS: 0, lines: [], torn: '{"type"' });
    expect(await readOutboxPage(outbox)).toEqual({ messages: [], next: undefined });
  });

  it.each(["", "x", "1~../../etc/passwd.0", "-1", "1~a", `${"9".repeat(16)}`])(
    "does not exist before %j, which no page returned",
    async (before) => {
      expect(await readOutboxPage(makeFolderForTest(), { before })).toBe(undefined);
    },
  );

  it.each([
    [0, 1],
    [2.9, 2],
    [Number.NaN, 1],
    [5000, 3],
  ])("with the limit %d shows %d of three messages", async (limit, given) => {
    const outbox = makeFolderForTest();
    put(outbox, { begunAtS: 0, lines: [1, 2, 3] });
    expect((await readOutboxPage(outbox, { limit }))?.messages).toHaveLength(given);
  });
});

describe("the count of an outbox", () => {
  it("says how much was sent and how much waits, over all files; a torn line counts only as bytes", async () => {
    const outbox = makeFolderForTest();
    put(outbox, { name: "a", begunAtS: 0, lines: [1, 2, 3], sentLines: 2, torn: "torn" });
    put(outbox, { name: "b", begunAtS: 1, lines: [4], sentLines: 1 });
    const bytes = Buffer.byteLength(`${lineOf("a", 0, 1)}\n`);
    expect(await countOutbox(outbox)).toEqual({
      files: 2,
      bytes: 4 * bytes + 4,
      waiting: { messages: 1, bytes: bytes + 4 },
      sent: { messages: 3, bytes: 3 * bytes },
    });
  });

  it("is zero if there is no outbox", async () => {
    const nothing = { messages: 0, bytes: 0 };
    expect(await countOutbox(join(makeFolderForTest(), "none"))).toEqual({
      files: 0,
      bytes: 0,
      waiting: nothing,
      sent: nothing,
    });
  });
});
