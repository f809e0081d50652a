import { expect, test } from "vitest";
import { median, recordLatencies } from "./latencies.ts";

test("percentiles are nearest ranks of all recorded values, even after the array has grown", () => {
  const latencies = recordLatencies(2);
  for (let value = 100; value >= 1; value--) latencies.record(value);
  expect(latencies.count()).toBe(100);
  expect(latencies.percentiles([0, 0.5, 0.9, 0.99, 0.991, 1])).toEqual([1, 50, 90, 99, 100, 100]);
});

test("a single value is every percentile, and without values each is 0", () => {
  const latencies = recordLatencies();
  expect(latencies.percentiles([0.5, 1])).toEqual([0, 0]);
  latencies.record(7);
  expect(latencies.percentiles([0.5, 1])).toEqual([7, 7]);
});

test("the median of an even count lies between the middle two", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([])).toBeNaN();
});
