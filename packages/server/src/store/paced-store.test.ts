import { expect, it } from "vitest";
import type { Store } from "./client.ts";
import { paceQueries } from "./paced-store.ts";

/** A store whose queries take as long as the test says. */
function slowStore(): { store: Store; running: () => number; end: () => Promise<void> } {
  const ends: (() => void)[] = [];
  const query = (sql: string): Promise<Record<string, unknown>[]> =>
    new Promise((resolve, reject) => {
      ends.push(() => (sql === "broken" ? reject(new Error(sql)) : resolve([{ sql }])));
    });
  return {
    store: { query } as unknown as Store,
    running: () => ends.length,
    end: async () => {
      ends.shift()?.();
      await new Promise(setImmediate);
    },
  };
}

it("while receiving is not busy, queries run side by side", async () => {
  const { store, running, end } = slowStore();
  const paced = paceQueries(store, { utilization: () => 0.5 });
  const answers = Promise.all([paced.query("a"), paced.query("b")]);
  expect(running()).toBe(2);
  await end();
  await end();
  expect(await answers).toEqual([[{ sql: "a" }], [{ sql: "b" }]]);
});

it("while it is busy, they run one after another, and rest after each, also after a failure", async () => {
  const { store, running, end } = slowStore();
  const rests: (() => void)[] = [];
  const paced = paceQueries(
    store,
    { utilization: () => 1 },
    () => new Promise<void>((resolve) => rests.push(resolve)),
  );
  const broken = paced.query("broken");
  const next = paced.query("next");
  expect(running()).toBe(1);
  const failed = expect(broken).rejects.toThrow("broken");
  await end();
  await failed; // its answer does not wait for the rest
  expect([rests.length, running()]).toEqual([1, 0]);
  rests.shift()?.();
  await new Promise(setImmediate);
  expect(running()).toBe(1);
  await end();
  expect(await next).toEqual([{ sql: "next" }]);
});
