import { expect, it } from "vitest";
import { rarely } from "./rarely.ts";

it("answers all who ask within the time with one call, of a failure too", async () => {
  let nowMs = 0;
  let calls = 0;
  const ask = rarely(
    async () => {
      calls += 1;
      if (calls === 2) throw new Error("full");
      return calls;
    },
    1000,
    () => nowMs,
  );
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1]);
  nowMs = 999;
  expect(await ask()).toBe(1);
  nowMs = 1000;
  await expect(ask()).rejects.toThrow("full");
  await expect(ask()).rejects.toThrow("full");
  nowMs = 2000;
  expect([await ask(), calls]).toEqual([3, 3]);
});
