import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LinkedList, type Place } from "./linked-list.ts";

function itemsOf<Item>(list: LinkedList<Item>): Item[] {
  return [...list].map(({ item }) => item);
}

describe("a linked list", () => {
  it("holds the items that were added and not removed, in order", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant("push"), fc.nat(20))), (steps) => {
        const list = new LinkedList<number>();
        const places: Place<number>[] = [];
        let expected: number[] = [];
        for (const step of steps) {
          if (step === "push") {
            expected.push(places.length);
            places.push(list.push(places.length));
            continue;
          }
          const place = places[Number(step)]; // often an item that was removed before
          if (place === undefined) continue;
          list.remove(place);
          expected = expected.filter((item) => item !== place.item);
        }
        expect(itemsOf(list)).toEqual(expected);
        expect(list.size).toBe(expected.length);
      }),
    );
  });

  it("can be iterated while the current item is removed and new items are added", () => {
    const list = new LinkedList<string>();
    for (const item of ["a", "b", "c"]) list.push(item);
    const seen: string[] = [];
    for (const place of list) {
      seen.push(place.item);
      list.remove(place);
      if (place.item === "b") list.push("d");
    }
    expect(seen).toEqual(["a", "b", "c", "d"]);
    expect(list.size).toBe(0);
  });

  it("does not link a removed item to remaining items", () => {
    const list = new LinkedList<string>();
    const [, middle] = ["a", "b", "c"].map((item) => list.push(item));
    if (middle === undefined) throw new Error("three were pushed");
    list.remove(middle);
    expect([middle.before, middle.after]).toEqual([undefined, undefined]);
  });
});
