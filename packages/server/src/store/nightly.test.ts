import { expect, it } from "vitest";
import { everyNight } from "./nightly.ts";

const HOUR_MS = 3_600_000;

it("runs once after each 3 o'clock, also after a machine slept through it", async () => {
  let nowMs = new Date(2026, 0, 31, 1).getTime();
  let runs = 0;
  let look = (): void => {};
  everyNight({
    task: async () => {
      runs += 1;
      throw new Error("the store is away");
    },
    now: () => nowMs,
    every: (_ms, run) => {
      look = run;
      return () => {};
    },
  });
  const lookAfter = (hours: number): number => {
    nowMs += hours * HOUR_MS;
    look();
    return runs;
  };
  expect([lookAfter(0), lookAfter(1.9), lookAfter(0.2), lookAfter(0.2)]).toEqual([0, 0, 1, 1]);
  expect([lookAfter(48), lookAfter(0.1)]).toEqual([2, 2]);
});
