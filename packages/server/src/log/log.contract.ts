import { expect, it } from "vitest";
import type { CandorError } from "../errors.ts";
import type { Disk, Log } from "./log.ts";
import { readSegment } from "./segment.ts";

/** The implementation under test. `open` can be called repeatedly on the same folder, as after a crash. */
export interface LogUnderTest {
  open(options: {
    keepKeys: (keys: Uint32Array) => Promise<void>;
    disk?: Disk;
    maxSegmentRows?: number;
    onFault?: (error: CandorError) => void;
  }): Promise<Log>;
  /** All bytes that the log holds on disk, file names included. */
  bytesOnDisk(): string;
  /** Flips a bit in the first record of the file that was written last. */
  flipFirstLine(): void;
  /** Cuts `count` bytes off the end of the file that was written last, as a crash may. */
  tearTail(count: number): void;
}

const keysOf = (...numbers: number[]): Uint32Array => new Uint32Array(numbers.flatMap((n) => [n, n]));
const noKeys = async (): Promise<void> => {};

async function drain(log: Log): Promise<string[]> {
  const names: string[] = [];
  const lines: string[] = [];
  while (log.pending().rows > 0) {
    const segment = await log.nextSealed(0);
    if (segment === undefined) break;
    const { lines: read, damagedBytes } = readSegment(segment);
    expect(damagedBytes).toBe(0);
    expect(names).not.toContain(segment.name);
    names.push(segment.name);
    lines.push(...read.toString().split("\n").slice(0, -1));
    await log.remove(segment);
  }
  return lines;
}

/** Defines the tests that every implementation of `Log` must pass. */
export function describeLogContract(create: () => LogUnderTest): void {
  it("returns every appended row once, in order", async () => {
    const log = await create().open({ keepKeys: noKeys, maxSegmentRows: 5 });
    const sent = Array.from({ length: 23 }, (_, n) => `row ${n} é`);
    await Promise.all(sent.map((line, n) => log.append(keysOf(n), `${line}\n`)));
    expect(log.pending().rows).toBe(23);
    expect(await drain(log)).toEqual(sent);
    expect(log.pending()).toMatchObject({ rows: 0, bytes: 0 });
    await log.close();
  });

  it("never makes a segment file with more rows than a block may have", async () => {
    const log = await create().open({ keepKeys: noKeys, maxSegmentRows: 5 });
    for (let n = 0; n < 4; n++) await log.append(keysOf(n, 100 + n, 200 + n), "a\nb\nc\n");
    for (let rows = 0; rows < 12; ) {
      const segment = await log.nextSealed(0);
      if (segment === undefined) throw new Error("no segment");
      expect(segment.rows).toBeLessThanOrEqual(5);
      rows += segment.rows;
      await log.remove(segment);
    }
    await log.close();
  });

  it("keeps a fast-filling segment file open longer than a slow one, for larger blocks", async () => {
    const lingerMs = 200;
    const [slow, fast] = await Promise.all([0, 1].map(() => create().open({ keepKeys: noKeys })));
    if (slow === undefined || fast === undefined) throw new Error("no log");
    const startedMs = performance.now();
    await fast.append(new Uint32Array(2000), "x\n".repeat(1000));
    await slow.append(keysOf(1), "one\n");
    const sealed: string[] = [];
    const [fastMs] = await Promise.all([
      fast.nextSealed(lingerMs).then(() => sealed.push("fast") && performance.now() - startedMs),
      slow.nextSealed(lingerMs).then(() => sealed.push("slow")),
    ]);
    expect(sealed).toEqual(["slow", "fast"]);
    expect(fastMs).toBeGreaterThan(3.5 * lingerMs);
    await Promise.all([slow.close(), fast.close()]);
  });

  it("still has the appended rows after it is opened again, under the same names", async () => {
    const under = create();
    const first = await under.open({ keepKeys: noKeys });
    await first.append(keysOf(1), "one\n");
    const name = (await first.nextSealed(0))?.name;
    await first.append(keysOf(2), "two\n");
    const second = await under.open({ keepKeys: noKeys }); // the first log is not closed, as after kill -9
    expect((await second.nextSealed(0))?.name).toBe(name);
    expect(await drain(second)).toEqual(["one", "two"]);
    await second.close();
  });

  it("cuts off a torn record when it is opened again, and keeps all records before it", async () => {
    const under = create();
    const first = await under.open({ keepKeys: noKeys });
    await first.append(keysOf(1), "whole\n");
    await first.append(keysOf(2), "torn\n");
    under.tearTail(3);
    const second = await under.open({ keepKeys: noKeys });
    await second.append(keysOf(3), "new\n");
    expect(await drain(second)).toEqual(["whole", "new"]);
    await second.close();
  });

  it("keeps a copy of a segment file that is damaged in the middle, and reports it", async () => {
    const under = create();
    const first = await under.open({ keepKeys: noKeys });
    await first.append(keysOf(1), "one\n");
    await first.append(keysOf(2), "two\n");
    under.flipFirstLine();
    const faults: string[] = [];
    const second = await under.open({ keepKeys: noKeys, onFault: (error) => faults.push(error.code) });
    expect(faults).toEqual(["log_damaged"]);
    expect(under.bytesOnDisk()).toContain("two");
    await second.close();
  });

  it("returns a segment file only after its keys are kept, also one that a crash left open", async () => {
    const under = create();
    const kept: number[] = [];
    const keepKeys = async (keys: Uint32Array): Promise<void> => void kept.push(...keys);
    const first = await under.open({ keepKeys });
    await first.append(keysOf(1, 2), "a\nb\n");
    expect(kept).toEqual([]);
    await first.nextSealed(0);
    expect(kept).toEqual([1, 1, 2, 2]);
    await first.append(keysOf(3), "c\n");
    await under.open({ keepKeys });
    expect(kept).toEqual([1, 1, 2, 2, 3, 3]);
  });

  it("leaves no byte of a removed segment file on disk", async () => {
    const under = create();
    const log = await under.open({ keepKeys: noKeys });
    await log.append(keysOf(1), "MARKER-1\n");
    await drain(log);
    await log.append(keysOf(2), "MARKER-2\n");
    expect(under.bytesOnDisk()).not.toContain("MARKER-1");
    expect(under.bytesOnDisk()).toContain("MARKER-2");
    await log.close();
    expect(under.bytesOnDisk()).toContain("MARKER-2");
  });

  it("rejects what a failing disk did not accept and everything queued behind it; recovers with the disk", async () => {
    const real = (await import("./disk.ts")).disk;
    let isFull = false;
    const full = Object.assign(new Error("no space"), { code: "ENOSPC" });
    const disk: Disk = { ...real, flush: (fd) => (isFull ? Promise.reject(full) : real.flush(fd)) };
    const under = create();
    const log = await under.open({ keepKeys: noKeys, disk });
    await log.append(keysOf(1), "before\n");
    isFull = true;
    const refused = [
      log.append(keysOf(2), "refused\n"),
      log.append(keysOf(3), "refused too\n"),
      log.flushed(),
    ];
    for (const result of await Promise.allSettled(refused)) {
      expect(result).toMatchObject({ status: "rejected", reason: { code: "disk_full", status: 503 } });
    }
    isFull = false;
    await log.append(keysOf(4), "after\n");
    expect(under.bytesOnDisk()).not.toContain("refused");
    expect(await drain(log)).toEqual(["before", "after"]);
    await log.close();
  });

  it("resolves flushed() only after the appends before it", async () => {
    const log = await create().open({ keepKeys: noKeys });
    const order: string[] = [];
    const appended = log.append(keysOf(1), "a\n").then(() => order.push("appended"));
    await log.flushed().then(() => order.push("flushed"));
    await appended;
    await log.flushed();
    expect(order).toEqual(["appended", "flushed"]);
    await log.close();
  });

  it("rejects with overloaded instead of queueing without limit, and with stopping once closed", async () => {
    const log = await create().open({ keepKeys: noKeys });
    const big = `${"x".repeat(1024 * 1024)}\n`;
    const results = await Promise.allSettled(
      Array.from({ length: 80 }, (_, n) => log.append(keysOf(n), big)),
    );
    const refused = results.filter((result) => result.status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toMatchObject({ reason: { code: "overloaded", retryAfterS: 1 } });
    await log.close();
    await expect(log.append(keysOf(1), "late\n")).rejects.toMatchObject({ code: "stopping" });
    expect((await drain(log)).length).toBe(80 - refused.length);
    expect(await log.nextSealed(0)).toBeUndefined();
  });
}
