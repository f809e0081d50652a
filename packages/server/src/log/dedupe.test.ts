import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Dedupe } from "./dedupe.ts";
import { hashKey } from "./key-hash.ts";

const HOUR_MS = 3_600_000;
let dir: string;
let nowMs = 1000 * HOUR_MS;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "candor-dedupe-"));
  nowMs = 1000 * HOUR_MS;
});
afterEach(() => rmSync(dir, { recursive: true }));

const open = (): Promise<Dedupe> => Dedupe.open({ dir, now: () => nowMs });

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
  it("knows a key again at once, after it was kept, after its journal was sorted, and after a restart", async () => {
    const first = await open();
    const batch = ids(3000, "a");
    expect(addAll(first, batch).every(Boolean)).toBe(true);
    expect(addAll(first, batch).some(Boolean)).toBe(false);
    await first.keep(keysOf(first, batch));
    expect(addAll(first, batch).some(Boolean)).toBe(false);
    nowMs += HOUR_MS;
    await first.keep(keysOf(first, ["later"]));
    expect(readdirSync(dir).filter((name) => name.endsWith(".keys"))).toHaveLength(1);
    expect(addAll(first, batch).some(Boolean)).toBe(false);
    await first.close();

    const second = await open();
    expect(addAll(second, [...batch, "later"]).some(Boolean)).toBe(false);
    expect(addAll(second, ids(3000, "b")).every(Boolean)).toBe(true);
    await second.close();
  });

  it("tells the same messageId of another source apart", async () => {
    const dedupe = await open();
    expect(addAll(dedupe, ["m1"], "server")).toEqual([true]);
    expect(addAll(dedupe, ["m1"], "client")).toEqual([true]);
    await dedupe.close();
  });

  it("takes a message again whose row could not be written", async () => {
    const dedupe = await open();
    addAll(dedupe, ["m1", "m2"]);
    dedupe.forget(keysOf(dedupe, ["m1"]));
    expect(addAll(dedupe, ["m1", "m2"])).toEqual([true, false]);
    await dedupe.close();
  });

  it("forgets after 8 days, and drops the files of that hour whole", async () => {
    const dedupe = await open();
    await dedupe.keep(keysOf(dedupe, ["old"]));
    nowMs += 8 * 24 * HOUR_MS;
    await dedupe.keep(keysOf(dedupe, ["at the edge"]));
    expect(addAll(dedupe, ["old"])).toEqual([false]);
    nowMs += HOUR_MS;
    await dedupe.keep(keysOf(dedupe, ["new"]));
    expect(addAll(dedupe, ["old", "at the edge"])).toEqual([true, false]);
    expect(readdirSync(dir).filter((name) => name.startsWith("1000"))).toEqual([]);
    await dedupe.close();
  });

  it("survives a journal whose end is torn, and says which file it cannot read any more", async () => {
    const first = await open();
    await first.keep(keysOf(first, ["kept"]));
    await first.close();
    const journal = readdirSync(dir).find((name) => name.endsWith(".journal")) ?? "none";
    writeFileSync(join(dir, journal), Buffer.from("torn"), { flag: "a" });
    writeFileSync(join(dir, "999-00000009.keys"), "nothing of ours");
    const damaged: string[] = [];
    const second = await Dedupe.open({ dir, now: () => nowMs, onDamaged: (path) => damaged.push(path) });
    expect(addAll(second, ["kept", "new"])).toEqual([false, true]);
    expect(damaged).toEqual([join(dir, "999-00000009.keys")]);
    await second.close();
  });

  it("answers as a plain set does, whatever comes in which order, with restarts in between", async () => {
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
          if (what === "hour") nowMs += HOUR_MS;
          if (what === "keep" || what === "restart") {
            await dedupe.keep(keysOf(dedupe, unkept)); // as the log does: at a seal, or when it recovers
            unkept = [];
          }
          if (what === "restart") {
            await dedupe.close();
            dedupe = await open();
          }
        }
        await dedupe.close();
      }),
      { numRuns: 40 },
    );
  });
});
