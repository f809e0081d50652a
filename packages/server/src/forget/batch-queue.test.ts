import { expect, test } from "vitest";
import { createBatchQueue } from "./batch-queue.ts";

interface Round {
  readonly items: readonly string[];
  readonly end: (error?: Error) => void;
}

/** Opens a queue in which the test decides when each round ends. */
function openQueue(options = { maxBatch: 3, maxWaiting: 5 }) {
  const rounds: Round[] = [];
  const queue = createBatchQueue<string, string>({
    ...options,
    keyOf: (item) => item,
    run: (items) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error): void =>
          error === undefined ? resolve(items.map((item) => `${item} done`)) : reject(error);
        rounds.push({ items, end });
      }),
  });
  const nextRound = async (n: number): Promise<Round> => {
    await new Promise((resolve) => setImmediate(resolve));
    const round = rounds[n];
    if (round === undefined) throw new Error(`there is no round ${n}`);
    return round;
  };
  return { queue, rounds, nextRound };
}

test("the first item runs at once; items added meanwhile run in the next round, each with its own result", async () => {
  const { queue, rounds, nextRound } = openQueue();
  const results = ["a", "b", "c", "d"].map((item) => queue.add(item));
  expect((await nextRound(0)).items).toEqual(["a"]);
  rounds[0]?.end();
  const { items, end } = await nextRound(1);
  expect(items).toEqual(["b", "c", "d"]);
  const late = queue.add("e");
  end();
  (await nextRound(2)).end();
  expect(await Promise.all([...results, late])).toEqual(
    ["a", "b", "c", "d", "e"].map((item) => `${item} done`),
  );
});

test("equal waiting items are merged, but not with one that is already running", async () => {
  const { queue, rounds, nextRound } = openQueue();
  const [running, second, third] = [queue.add("a"), queue.add("a"), queue.add("a")];
  expect(second).not.toBe(running);
  expect(third).toBe(second);
  rounds[0]?.end();
  expect((await nextRound(1)).items).toEqual(["a"]);
  rounds[1]?.end();
  expect(await Promise.all([running, second, third])).toEqual(["a done", "a done", "a done"]);
});

test("limits the waiting items and the items of a round", async () => {
  const { queue, nextRound } = openQueue();
  const results = ["a", "b", "c", "d", "e", "f"].map((item) => queue.add(item));
  expect(queue.add("g")).toBeUndefined();
  expect(queue.add("f")).toBe(results[5]); // an item that already waits takes no further place
  (await nextRound(0)).end();
  expect((await nextRound(1)).items).toEqual(["b", "c", "d"]);
  (await nextRound(1)).end();
  expect((await nextRound(2)).items).toEqual(["e", "f"]);
  (await nextRound(2)).end();
  expect(await Promise.all(results)).toHaveLength(6);
});

test("a round that fails rejects only its own items, and the next round runs", async () => {
  const { queue, nextRound } = openQueue();
  const outcomes = Promise.allSettled([queue.add("a"), queue.add("b")]);
  (await nextRound(0)).end(new Error("away"));
  (await nextRound(1)).end();
  expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  const later = queue.add("c");
  (await nextRound(2)).end();
  expect(await later).toBe("c done");
});
