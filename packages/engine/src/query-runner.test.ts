import { expect, test } from "vitest";
import { fault } from "./errors.ts";
import type { QueryRequest } from "./http-request.ts";
import { MAX_READS, MAX_WAITING } from "./limits.ts";
import { createQueryRunner } from "./query-runner.ts";
import type { Store, TextResult } from "./store.ts";

const RESULT: TextResult = { bytes: Buffer.from("1\n"), rowsRead: 1, bytesRead: 1, elapsedSeconds: 0 };
const REQUEST: QueryRequest = {
  query: undefined,
  queryId: "q",
  database: undefined,
  defaultFormat: "TabSeparated",
  settings: {},
  params: {},
};

/** Opens a runner over a store whose reads end when the test ends them, and whose writes end at once. */
function openRunner() {
  const reads: (() => void)[] = [];
  const store = {
    read: () => new Promise<TextResult>((resolve) => reads.push(() => resolve(RESULT))),
    command: async () => RESULT,
    cancel: async () => {},
  } as Partial<Store> as Store;
  const run = createQueryRunner(store);
  return {
    reads,
    ask: (sql: string, gone = new AbortController().signal) => run(REQUEST, Buffer.from(sql), gone),
  };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("at most MAX_READS reads run, MAX_WAITING wait, one more is refused, and writes are not affected", async () => {
  const { reads, ask } = openRunner();
  const all = Array.from({ length: MAX_READS + MAX_WAITING }, () => ask("SELECT 1"));
  await expect(ask("SELECT 1")).rejects.toMatchObject({
    type: "TOO_MANY_SIMULTANEOUS_QUERIES",
    message: "256 queries are already waiting",
  });
  expect(reads).toHaveLength(MAX_READS);
  expect((await ask("CREATE TABLE t (a Int8) ENGINE = Memory")).bytes).toEqual(RESULT.bytes);
  for (let ended = 0; ended < all.length; ended++) {
    reads[ended]?.();
    await settle();
  }
  expect(await Promise.all(all)).toHaveLength(MAX_READS + MAX_WAITING);
});

test("a waiting read is given up when its client disconnects", async () => {
  const { reads, ask } = openRunner();
  const running = Array.from({ length: MAX_READS }, () => ask("SELECT 1"));
  const gone = new AbortController();
  const waiting = ask("SELECT 1", gone.signal);
  gone.abort(fault.cancelled());
  await expect(waiting).rejects.toMatchObject({ type: "QUERY_WAS_CANCELLED" });
  for (const end of reads) end();
  await Promise.all(running);
  expect(reads).toHaveLength(MAX_READS);
});
