/**
 * Runs a task on queued items, one batch at a time, for work that costs about the same for one item as for
 * many.
 */

export interface BatchQueueOptions<Item, Result> {
  /**
   * Runs the task on one batch.
   * @returns a result for each item, in order; if the promise rejects, every item of the batch is rejected
   */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Waiting items with the same key are merged, and share one result. */
  readonly keyOf: (item: Item) => string;
  readonly maxBatch: number;
  /** How many items may wait while a batch runs. */
  readonly maxWaiting: number;
}

export interface BatchQueue<Item, Result> {
  /**
   * Adds the item to the queue, or returns the result of a waiting item with the same key. A batch starts at
   * once if none is running. Returns undefined if too many items are waiting.
   */
  add(item: Item): Promise<Result> | undefined;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly result: Promise<Result>;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export function createBatchQueue<Item, Result>({
  run,
  keyOf,
  maxBatch,
  maxWaiting,
}: BatchQueueOptions<Item, Result>): BatchQueue<Item, Result> {
  const waiting = new Map<string, Waiting<Item, Result>>();
  let isRunning = false;

  const runAll = async (): Promise<void> => {
    isRunning = true;
    while (waiting.size > 0) {
      const batch = [...waiting].slice(0, maxBatch);
      for (const [key] of batch) waiting.delete(key);
      await runBatch(batch.map(([, entry]) => entry));
    }
    isRunning = false;
  };

  const runBatch = async (batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    try {
      const results = await run(batch.map(({ item }) => item));
      for (const [n, { resolve, reject }] of batch.entries()) {
        const result = results[n];
        if (result === undefined) reject(new Error("a batch gave no result for an item"));
        else resolve(result);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };

  return {
    add: (item) => {
      const key = keyOf(item);
      const known = waiting.get(key);
      if (known !== undefined) return known.result;
      if (waiting.size >= maxWaiting) return undefined;
      const entry = toWaiting<Item, Result>(item);
      waiting.set(key, entry);
      if (!isRunning) void runAll();
      return entry.result;
    },
  };
}

function toWaiting<Item, Result>(item: Item): Waiting<Item, Result> {
  let resolve: (result: Result) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const result = new Promise<Result>((resolveResult, rejectResult) => {
    resolve = resolveResult;
    reject = rejectResult;
  });
  return { item, result, resolve, reject };
}
