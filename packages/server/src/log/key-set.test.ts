import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeyFilter } from "./key-filter.ts";
import { hashKey } from "./key-hash.ts";
import { KeySet } from "./key-set.ts";

const SEED = [0x1234567, 0x89abcdef] as const;

function hashes(ids: readonly string[]): Uint32Array {
  const keys = new Uint32Array(2 * ids.length);
  for (const [index, id] of ids.entries()) hashKey(keys, index, "server", id, SEED);
  return keys;
}

describe("hashKey", () => {
  it.each([
    ["counted ids", (n: number) => `msg-${n}`],
    ["ids that differ early", (n: number) => `${n.toString(36)}-0f6b07ee-0717-4130-808c-c25b09c04680`],
    ["ids that differ in two places", (n: number) => `${n & 1023}--------------------------${n >> 10}`],
  ])("spreads %s as evenly as chance would, in any 32 of its 64 bits", (_what, idOf) => {
    const count = 1 << 18;
    const keys = hashes(Array.from({ length: count }, (_, n) => idOf(n)));
    for (const word of [0, 1]) {
      const seen = new Set<number>();
      for (let index = 0; index < count; index++) seen.add(keys[2 * index + word] ?? 0);
      const collisions = count - seen.size;
      expect(collisions).toBeLessThan(30); // expected by chance: count^2 / 2^33 = 8
    }
  });

  it("distinguishes equal messageIds of two sources, and equal concatenations of source and messageId", () => {
    const keys = new Uint32Array(6);
    hashKey(keys, 0, "server", "a1", SEED);
    hashKey(keys, 1, "client", "a1", SEED);
    hashKey(keys, 2, "servera", "1", SEED);
    expect(new Set([keys[0], keys[2], keys[4]]).size).toBe(3);
  });
});

describe("KeySet", () => {
  it("contains the same as a Set after any additions and deletions", () => {
    const key = fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 5000 }));
    const step = fc.record({ remove: fc.boolean(), key });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 3000 }), (steps) => {
        const set = new KeySet();
        const model = new Set<string>();
        for (const {
          remove,
          key: [hi, lo],
        } of steps) {
          const name = `${hi}:${lo}`;
          if (remove) {
            set.delete(hi, lo);
            model.delete(name);
          } else {
            expect(set.add(hi, lo)).toBe(!model.has(name));
            model.add(name);
          }
        }
        const held = set.toArray();
        const names = Array.from({ length: set.size }, (_, at) => `${held[2 * at]}:${held[2 * at + 1]}`);
        expect(names.sort()).toEqual([...model].sort());
      }),
      { numRuns: 50 },
    );
  });
});

describe("KeyFilter", () => {
  it("has every key that was added and, when full, about one false positive in a thousand", () => {
    const filter = new KeyFilter(1 << 17);
    const known = hashes(Array.from({ length: filter.capacityKeys }, (_, n) => `known-${n}`));
    const strangers = hashes(Array.from({ length: 100_000 }, (_, n) => `stranger-${n}`));
    for (let at = 0; at < known.length; at += 2) filter.add(known[at] ?? 0, known[at + 1] ?? 0);
    for (let at = 0; at < known.length; at += 2) {
      if (!filter.mayHave(known[at] ?? 0, known[at + 1] ?? 0)) expect.fail("forgot a key");
    }
    let mistaken = 0;
    for (let at = 0; at < strangers.length; at += 2) {
      if (filter.mayHave(strangers[at] ?? 0, strangers[at + 1] ?? 0)) mistaken += 1;
    }
    expect(mistaken).toBeLessThan(200);
  });
});
