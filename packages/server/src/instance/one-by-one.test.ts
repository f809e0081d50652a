import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { createOneByOne } from "./one-by-one.ts";

it("runs one task at a time, in order, and goes on after one that fails", async () => {
  const oneByOne = createOneByOne<string>();
  const seen: string[] = [];
  const task = (name: string, fails = false) =>
    oneByOne(name, async () => {
      seen.push(`${name} begins`);
      await turn();
      seen.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const results = await Promise.allSettled([task("a"), task("b", true), task("c")]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(seen).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
});

it("shares what waits with those who ask for the same, and not what runs already", async () => {
  const oneByOne = createOneByOne<number>();
  let runs = 0;
  let end = (): void => {};
  const task = (): Promise<number> =>
    oneByOne("a", async () => {
      runs += 1;
      const run = runs;
      if (run === 1) await new Promise<void>((resolve) => (end = resolve));
      return run;
    });
  const first = task();
  await turn();
  const later = [task(), task(), task()];
  end();
  expect(await first).toBe(1);
  expect(await Promise.all(later)).toEqual([2, 2, 2]);
});
