import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Dedupe } from "./dedupe.ts";
import { disk } from "./disk.ts";
import { hashKey } from "./key-hash.ts";

const HOUR_MS = 3_600_000;
const WINDOW_HOURS = 8 * 24;
let dir: string;
let runningMs = 0;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "candor-dedupe-"));
  runningMs = 0;
});
afterEach(() => rmSync(dir, { recursive: true }));

const open = (): Promise<Dedupe> => Dedupe.open({ dir, runningMs: () => runningMs });
/** Opens the folder as a new process does: its clock begins at 0. */
const reopen = (): Promise<Dedupe> => {
  runningMs = 0;
  return open();
};

function keysOf(dedupe: Dedupe, ids: readonly string[], source = "server"): Uint32Array {
  const keys = new Uint32Array(2 * ids.length);
  for (const [index, id] of ids.entries()) hashKey(keys, index, source, id, dedupe.seed);
  return keys;
}

function addAll(dedupe: Dedupe, ids: readonly string[], source?: string): boolean[] {
  const keys = keysOf(dedupe, ids, source);
  return ids.map((_, index) => dedupe.add(keys, index));
}

const ids = (count: number, prefix: string): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}-${n}`);

describe("Dedupe", () => {
  it("recognises a key at once, after `keep`, after its journal was sorted, and after a restart", async () => {
    const first = await open();
    const batch = ids(3000, "a");
    expect(addAll(first, batch).every(Boolean)).toBe(true);
    expect(addAll(first, batch).some(Boolean)).toBe(false);
    await first.keep(keysOf(first, batch));
    expect(addAll(first, batch).some(Boolean)).toBe(false);
    runningMs += HOUR_MS;
    await first.keep(keysOf(first, ["later"]));
    expect(readdirSync(dir).filter((name) => name.endsWith(".keys"))).toHaveLength(1);
    expect(addAll(first, batch).some(Boolean)).toBe(false);
    await first.close();

    const second = await reopen();
    expect(addAll(second, [...batch, "later"]).some(Boolean)).toBe(false);
    expect(addAll(second, ids(3000, "b")).every(Boolean)).toBe(true);
    await second.close();
  });

  it("distinguishes the same messageId from another source", async () => {
    const dedupe = await open();
    expect(addAll(dedupe, ["m1"], "server")).toEqual([true]);
    expect(addAll(dedupe, ["m1"], "client")).toEqual([true]);
    await dedupe.close();
  });

  it("accepts a message again if its row could not be written", async () => {
    const dedupe = await open();
    addAll(dedupe, ["m1", "m2"]);
    dedupe.forget(keysOf(dedupe, ["m1"]));
    expect(addAll(dedupe, ["m1", "m2"])).toEqual([true, false]);
    await dedupe.close();
  });

  it("forgets keys after 8 days of running, and deletes the files of that hour", async () => {
    const dedupe = await open();
    await dedupe.keep(keysOf(dedupe, ["old"]));
    runningMs += 8 * 24 * HOUR_MS;
    await dedupe.keep(keysOf(dedupe, ["at the edge"]));
    expect(addAll(dedupe, ["old"])).toEqual([false]);
    runningMs += HOUR_MS;
    await dedupe.keep(keysOf(dedupe, ["new"]));
    expect(addAll(dedupe, ["old", "at the edge"])).toEqual([true, false]);
    expect(readdirSync(dir).filter((name) => name.startsWith("0-"))).toEqual([]);
    await dedupe.close();
  });

  it("survives a journal with a torn end, and reports a key file that it can no longer read", async () => {
    const first = await open();
    await first.keep(keysOf(first, ["kept"]));
    await first.close();
    const journal = readdirSync(dir).find((name) => name.endsWith(".journal")) ?? "none";
    writeFileSync(join(dir, journal), Buffer.from("torn"), { flag: "a" });
    writeFileSync(join(dir, "0-00000009.keys"), "nothing of ours");
    const damaged: string[] = [];
    const second = await Dedupe.open({ dir, runningMs: () => 0, onDamaged: (path) => damaged.push(path) });
    expect(addAll(second, ["kept", "new"])).toEqual([false, true]);
    expect(damaged).toEqual([join(dir, "0-00000009.keys")]);
    await second.close();
  });

  it("answers as a plain set does, for any sequence of keys and restarts", async () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ do: fc.constant("add"), id: fc.nat(40) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("keep"), id: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("hour"), id: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("restart"), id: fc.nat() }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        rmSync(dir, { recursive: true });
        dir = mkdtempSync(join(tmpdir(), "candor-dedupe-"));
        let dedupe = await open();
        const model = new Set<string>();
        let unkept: string[] = [];
        for (const { do: what, id } of steps) {
          if (what === "add") {
            expect(addAll(dedupe, [`m${id}`])).toEqual([!model.has(`m${id}`)]);
            if (!model.has(`m${id}`)) unkept.push(`m${id}`);
            model.add(`m${id}`);
          }
          if (what === "hour") runningMs += HOUR_MS;
          if (what === "keep" || what === "restart") {
            await dedupe.keep(keysOf(dedupe, unkept)); // as the log does when it seals or recovers
            unkept = [];
          }
          if (what === "restart") {
            await dedupe.close();
            dedupe = await reopen();
          }
        }
        await dedupe.close();
      }),
      { numRuns: 40 },
    );
  });

  it("has written and flushed the keys when keep() resolves", async () => {
    const calls: string[] = [];
    const dedupe = await Dedupe.open({
      dir,
      disk: {
        ...disk,
        write: async (fd, buffers, position) => {
          await disk.write(fd, buffers, position);
          calls.push("written");
        },
        flush: async (fd) => {
          calls.push("flush");
          await disk.flush(fd);
          calls.push("flushed");
        },
      },
    });
    await dedupe.keep(keysOf(dedupe, ["m1"])).then(() => calls.push("kept"));
    expect(calls).toEqual(["written", "flush", "flushed", "kept"]);
    await dedupe.close();
  });
});

/**
 * One thing that can happen to a collector: a message arrives, hours pass while it runs or is off, or its
 * clock is set.
 */
const happening = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("message"), by: fc.nat(5) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("run hours"), by: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("off hours"), by: fc.nat(400) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("set clock by hours"),
      by: fc.integer({ min: -90_000, max: 90_000 }),
    }),
  },
);

describe("whatever the machine's clock is set to", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: 500_000 * HOUR_MS }));
  afterEach(() => void vi.useRealTimers());

  it("a message of the last 8 days counts once, and is forgotten after 8 days of running", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 15, maxLength: 30 }), async (happenings) => {
        rmSync(dir, { recursive: true });
        dir = mkdtempSync(join(tmpdir(), "candor-dedupe-"));
        let dedupe = await reopen();
        let realHour = 0;
        let ranHours = 0;
        const counted = new Map<number, { realHour: number; ranHours: number }>();
        const pass = (hours: number): void => {
          realHour += hours;
          vi.setSystemTime(Date.now() + hours * HOUR_MS);
        };
        for (const { do: what, by } of happenings) {
          if (what === "message") {
            const isNew = addAll(dedupe, [`m${by}`])[0] ?? false;
            const last = counted.get(by);
            if (last === undefined) expect(isNew).toBe(true);
            else if (realHour - last.realHour <= WINDOW_HOURS) expect(isNew).toBe(false);
            // A journal is kept for an hour, and an expired file is deleted only when the next file is made.
            else if (ranHours - last.ranHours > WINDOW_HOURS + 2) expect(isNew).toBe(true);
            if (isNew) {
              await dedupe.keep(keysOf(dedupe, [`m${by}`]));
              counted.set(by, { realHour, ranHours });
            }
          }
          if (what === "run hours") {
            pass(by);
            runningMs += by * HOUR_MS;
            ranHours += by;
            await dedupe.keep(keysOf(dedupe, [`other-${realHour}`]));
          }
          if (what === "off hours") {
            await dedupe.close(); // only closes the files, which look as they would after a crash
            pass(by);
            dedupe = await reopen();
          }
          if (what === "set clock by hours") vi.setSystemTime(Date.now() + by * HOUR_MS);
        }
        await dedupe.close();
      }),
      { numRuns: 8 },
    );
  });

  it("keys do not pile up if no run lasts an hour, because the time of all runs is added up", async () => {
    for (let run = 0; run < 10; run++) {
      const dedupe = await reopen();
      runningMs += 0.9 * HOUR_MS;
      await dedupe.keep(keysOf(dedupe, [`run ${run}`]));
      await dedupe.close();
    }
    const names = readdirSync(dir).filter((name) => /^\d+/.test(name));
    const hours = names.map((name) => Number(/^\d+/.exec(name)?.[0]));
    expect(Math.max(...hours)).toBe(9);
  });

  it("counting continues from the newest key file if the count of hours is lost or damaged", async () => {
    const first = await open();
    runningMs += 100 * HOUR_MS;
    await first.keep(keysOf(first, ["old"]));
    await first.close();
    writeFileSync(join(dir, "running-hours"), "\xff".repeat(24));
    const second = await reopen();
    runningMs += 100 * HOUR_MS;
    await second.keep(keysOf(second, ["new"]));
    expect(addAll(second, ["old", "new"])).toEqual([false, false]);
    await second.close();
    expect(readdirSync(dir).find((name) => name.endsWith(".journal"))).toBe("200.journal");
  });
});
