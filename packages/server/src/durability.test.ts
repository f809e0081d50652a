import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { disk as realDisk } from "./log/disk.ts";
import type { Disk } from "./log/log.ts";
import { answerOf, NO_STORE, startForTest, type TestCandor } from "./rig/in-process.ts";

/**
 * A disk that records what was written and what was then flushed. The test decides how long each call takes.
 * durability.system.test.ts checks the same guarantees on real system calls; this test runs on every
 * platform.
 */
interface WatchedDisk extends Disk {
  /** How long a call takes, in milliseconds. */
  delayMs: () => number;
  /** If set, every flush waits for this promise. */
  hold: Promise<void> | undefined;
  /** Number of flushes that have not returned. */
  flushing: number;
  /** Whether this text was written and a flush of its file began after that and has ended. */
  isDurable(text: string): boolean;
}

function watchedDisk(): WatchedDisk {
  const written = new Map<number, string>();
  const durable: string[] = [];
  const disk: WatchedDisk = {
    delayMs: () => 0,
    hold: undefined,
    flushing: 0,
    isDurable: (text) => durable.some((flushed) => flushed.includes(text)),
    truncate: realDisk.truncate,
    write: async (fd, buffers, position) => {
      await sleep(disk.delayMs());
      await realDisk.write(fd, buffers, position);
      written.set(fd, (written.get(fd) ?? "") + Buffer.concat(buffers).toString("latin1"));
    },
    flush: async (fd) => {
      const before = written.get(fd) ?? "";
      disk.flushing += 1;
      try {
        await disk.hold;
        await sleep(disk.delayMs());
        await realDisk.flush(fd);
      } finally {
        disk.flushing -= 1;
      }
      durable.push(before);
    },
  };
  return disk;
}

const disk = watchedDisk();
let candor: TestCandor;
beforeAll(async () => {
  candor = await startForTest(NO_STORE, { disk });
});
afterAll(() => candor.close());

const message = (messageId: string) => ({ type: "track", event: "e", userId: "u", messageId });

let end: (fault?: Error) => void = () => {};
afterEach(() => end());

/**
 * Holds every flush until the returned function is called. If it is called with a fault, the flushes fail.
 */
function holdFlushes(): (fault?: Error) => void {
  const held = new Promise<void>((resolve, reject) => {
    end = (fault) => {
      disk.hold = undefined;
      if (fault === undefined) resolve();
      else reject(fault);
    };
  });
  held.catch(() => {}); // avoids an unhandled rejection when nothing was flushed
  disk.hold = held;
  return end;
}

/**
 * Sends messages and waits until a flush is in progress (for at most 5 s). Then waits for another 50 ms, in
 * which an answer that does not depend on the flush would arrive.
 */
async function sendInto(messageIds: string[]): Promise<{ answer: Promise<Response>; isAnswered(): boolean }> {
  let isAnswered = false;
  const answer = candor.post("/v1/batch", { batch: messageIds.map(message) }).finally(() => {
    isAnswered = true;
  });
  const untilMs = performance.now() + 5000;
  while (disk.flushing === 0 && performance.now() < untilMs) await sleep(1);
  await sleep(50);
  return { answer, isAnswered: () => isAnswered };
}

describe("a 200", () => {
  let originals = 0;

  it.each([
    ["of a message waits for its flush", () => ["one"]],
    ["of a duplicate waits for its original's flush", (original: string) => [original]],
    ["of a batch with only duplicates waits for it too", (original: string) => [original, original]],
    ["of a batch with both waits for it too", (original: string) => [original, "another"]],
  ])("%s", async (_what, idsBeside) => {
    originals += 1;
    const id = `original-${originals}-`;
    const release = holdFlushes();
    const original = await sendInto([id]);
    const sent = await sendInto(idsBeside(id));
    expect([original.isAnswered(), sent.isAnswered(), disk.isDurable(id)]).toEqual([false, false, false]);
    release();
    expect([(await original.answer).status, (await sent.answer).status]).toEqual([200, 200]);
    expect(disk.isDurable(id)).toBe(true);
  });

  it("is not sent for a duplicate if its original's flush fails; a retry of either is kept", async () => {
    const release = holdFlushes();
    const original = await sendInto(["m1"]);
    const duplicate = await sendInto(["m1"]);
    release(Object.assign(new Error("no space"), { code: "ENOSPC" }));
    for (const { answer } of [original, duplicate]) {
      expect((await answer).status).toBe(503);
      expect(await answerOf(await answer)).toMatchObject({ code: "disk_full" });
    }
    expect((await candor.post("/v1/track", message("m1"))).status).toBe(200);
    expect(disk.isDurable("m1")).toBe(true);
  });

  it("is never sent before all that it accepted was written and then flushed, with any concurrent requests and disk speeds", async () => {
    const ids = fc.array(fc.nat(8), { minLength: 1, maxLength: 4 });
    const requests = fc.array(fc.record({ ids, afterMs: fc.nat(6) }), { minLength: 1, maxLength: 12 });
    const delays = fc.array(fc.nat(4), { minLength: 5, maxLength: 20 });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(requests, delays, async (sent, delaysMs) => {
        run += 1;
        let call = 0;
        disk.delayMs = () => delaysMs[call++ % delaysMs.length] ?? 0;
        await Promise.all(
          sent.map(async ({ ids: numbers, afterMs }) => {
            await sleep(afterMs);
            const messageIds = numbers.map((number) => `run-${run}-message-${number}-`);
            const { status } = await candor.post("/v1/batch", { batch: messageIds.map(message) });
            expect(status).toBe(200);
            expect(messageIds.filter((id) => !disk.isDurable(id))).toEqual([]);
          }),
        );
      }),
      { numRuns: 15 },
    );
  });
});
