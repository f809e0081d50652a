import { expect, it } from "vitest";
import { copyPlain } from "./plain-copy.ts";

it("copies JSON as it is", () => {
  const value = {
    text: "é\n",
    number: -1.5,
    yes: true,
    nothing: null,
    list: [1, [2], { a: 3 }],
    inner: { b: {} },
  };
  expect(copyPlain(value)).toEqual(value);
  expect(copyPlain(value)).not.toBe(value);
});

it("accepts what JSON.stringify would accept, without calling toJSON", () => {
  class Inherited {
    own = 1;
    get computed(): number {
      return 2;
    }
    toJSON(): string {
      return "sneaky";
    }
  }
  expect(
    copyPlain({
      date: new Date("2026-11-23T12:00:00Z"),
      noDate: new Date(Number.NaN),
      nan: Number.NaN,
      endless: Number.POSITIVE_INFINITY,
      absent: undefined,
      call: () => 1,
      big: 1n,
      sign: Symbol("x"),
      list: [undefined, () => 1, 1],
      instance: new Inherited(),
      map: new Map([["a", 1]]),
    }),
  ).toEqual({
    date: "2026-11-23T12:00:00.000Z",
    noDate: null,
    nan: null,
    endless: null,
    list: [null, null, 1],
    instance: { own: 1 },
    map: {},
  });
});

it("does not let a key become the copy's prototype", () => {
  const copy = copyPlain(JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":1}}'));
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  expect(copy).toEqual({ a: {} });
});

it("throws if values are nested without end", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.list = [cyclic];
  expect(() => copyPlain(cyclic)).toThrow(RangeError);
});

it("copies only the given names", () => {
  expect(copyPlain({ a: 1, b: { c: 2 }, toString: 3 }, new Set(["b", "toString", "none"]))).toEqual({
    b: { c: 2 },
    toString: 3,
  });
});

it("does not traverse binary data, or more values than a message can hold", () => {
  expect(copyPlain({ bytes: Buffer.alloc(10), view: new Float64Array(3) })).toEqual({
    bytes: null,
    view: null,
  });
  let shared: object = {};
  for (let level = 0; level < 22; level += 1) shared = { left: shared, right: shared };
  expect(() => copyPlain({ shared })).toThrow(RangeError);
});

it("recognises dates and arrays, whatever methods their classes have", () => {
  class OddDate extends Date {
    override toISOString(): string {
      return "ada@example.org";
    }
  }
  class OddList extends Array<number> {
    override map(): never {
      throw new Error("no");
    }
  }
  const copy = copyPlain({ date: new OddDate("2026-11-23T12:00:00Z"), list: OddList.from([1, 2]) });
  expect(copy).toEqual({ date: "2026-11-23T12:00:00.000Z", list: [1, 2] });
});
