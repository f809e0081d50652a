import { expect, it } from "vitest";
import { isExactNumber, MAX_NESTING_LEVELS, valueFaultOf } from "./values.ts";

it.each([
  [0, true],
  [-0, true],
  [0.1, true],
  [Number.MAX_SAFE_INTEGER, true],
  [Number.MIN_SAFE_INTEGER, true],
  [Number.MAX_SAFE_INTEGER + 1, false],
  [-(2 ** 63), false],
  [2 ** 64, false],
  [1e20, false],
  [1e21, true],
  [-1.5e300, true],
  [5e-324, true],
  [Number.POSITIVE_INFINITY, false],
  [Number.NaN, false],
])("%d is exact: %s", (value, isExact) => {
  expect(isExactNumber(value)).toBe(isExact);
  expect(valueFaultOf({ list: [value] }, 2)).toBe(isExact ? undefined : "number_out_of_range");
});

it("the deepest allowed level is accepted and the next is not, in objects and in arrays", () => {
  let object: object = {};
  let list: unknown[] = [];
  for (let level = 2; level < MAX_NESTING_LEVELS; level++) {
    object = { object };
    list = [list];
  }
  expect(valueFaultOf(object as never, 2)).toBe(undefined);
  expect(valueFaultOf({ object } as never, 2)).toBe("too_deep");
  expect(valueFaultOf(list as never, 2)).toBe(undefined);
  expect(valueFaultOf([list] as never, 2)).toBe("too_deep");
});
