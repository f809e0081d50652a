import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { memoize } from "./memo.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Opens a memo that records the keys for which it had to compute a result. */
function openMemo(): { memo: (key: string) => string; computed: string[] } {
  const computed: string[] = [];
  const compute = (key: string): string => {
    computed.push(key);
    return key.toUpperCase();
  };
  return { memo: memoize(compute, { slots: 4, keyLength: 4, ageMs: 1000 }), computed };
}

test("a repeated key is computed once", () => {
  const { memo, computed } = openMemo();
  expect(["a", "b", "a", "b"].map(memo)).toEqual(["A", "B", "A", "B"]);
  expect(computed).toEqual(["a", "b"]);
});

test("the result for a long key is returned and not remembered", () => {
  const { memo, computed } = openMemo();
  expect(["abcde", "abcde"].map(memo)).toEqual(["ABCDE", "ABCDE"]);
  expect(computed).toEqual(["abcde", "abcde"]);
});

test("no more keys are remembered than there are slots", () => {
  const { memo, computed } = openMemo();
  const keys = Array.from({ length: 100 }, (_, n) => `k${n}`);
  expect(keys.map(memo)).toEqual(keys.map((key) => key.toUpperCase()));
  computed.length = 0;
  for (const key of keys.toReversed()) memo(key);
  expect(computed.length).toBeGreaterThanOrEqual(96);
});

test("everything is forgotten after its age, even if the memo is not called", () => {
  const { memo, computed } = openMemo();
  memo("a");
  vi.advanceTimersByTime(999);
  memo("a");
  vi.advanceTimersByTime(1);
  memo("a");
  expect(computed).toEqual(["a", "a"]);
  vi.advanceTimersByTime(1000);
  expect(vi.getTimerCount()).toBe(0);
});
