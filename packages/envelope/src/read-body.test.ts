import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type BodyStream, createBodyBudget, holdMore, readBody } from "./read-body.ts";

const MAX_BYTES = 1024 * 1024;

/** Creates a body that arrives in these chunks. */
function bodyOf(pieces: Iterable<Buffer>, headers: Record<string, string> = {}): BodyStream {
  return Object.assign(Readable.from(pieces), { headers });
}

function* pieces(count: number, bytes: number): Generator<Buffer> {
  for (let n = 0; n < count; n++) yield Buffer.alloc(bytes, n % 256);
}

describe("a body", () => {
  it.each([
    ["of nothing", 0, 1],
    ["of one piece", 1, 500_000],
    ["of two", 2, 10],
    ["of pieces larger than the buffer for the first", 5, 100_000],
    ["of exactly the limit", 16, MAX_BYTES / 16],
    ["of 1,000 pieces of a byte, as from a client that does not buffer", 1000, 1],
    ["of 10,000 pieces of a line", 10_000, 100],
  ])("%s is read as it was sent, and returns its bytes to the budget", async (_what, count, bytes) => {
    const budget = createBodyBudget(4 * MAX_BYTES);
    const read = await readBody(bodyOf(pieces(count, bytes)), { maxBytes: MAX_BYTES, budget });
    expect(Buffer.concat([...pieces(count, bytes)]).equals(read as Buffer)).toBe(true);
    expect([budget.heldBytes, budget.giveUp.size]).toEqual([0, 0]);
  });

  it.each([
    ["a byte more than the limit", bodyOf(pieces(2, MAX_BYTES / 2 + 1)), "too_large"],
    ["more than the limit, announced", bodyOf(pieces(1, 1), { "content-length": "1048577" }), "too_large"],
    ["a million pieces of a byte", bodyOf(pieces(1_000_000, 1)), "fragmented"],
    ["a million pieces of two bytes, after half a megabyte", bodyOf(late()), "fragmented"],
  ])("of %s is not read", async (_what, body, fault) => {
    const budget = createBodyBudget(4 * MAX_BYTES);
    expect(await readBody(body, { maxBytes: MAX_BYTES, budget })).toBe(fault);
    expect([budget.heldBytes, budget.giveUp.size]).toEqual([0, 0]);
  });

  function* late(): Generator<Buffer> {
    yield Buffer.alloc(MAX_BYTES / 2);
    yield* pieces(1_000_000, 2);
  }

  it("holds the size of its buffer in the budget: at most twice its bytes, or 4 KiB", async () => {
    const budget = createBodyBudget(Number.POSITIVE_INFINITY);
    let bytes = 0;
    const excesses: number[] = [];
    function* watched(): Generator<Buffer> {
      for (const piece of pieces(900, 1000)) {
        excesses.push(budget.heldBytes - Math.max(2 * bytes, 4096));
        bytes += piece.length;
        yield piece;
      }
    }
    await readBody(bodyOf(watched()), { maxBytes: MAX_BYTES, budget });
    expect(Math.max(...excesses)).toBeLessThanOrEqual(0);
  });

  it("counts with the whole buffer of which its first piece is a slice", async () => {
    const budget = createBodyBudget(1000);
    const cut = Buffer.allocUnsafeSlow(64 * 1024).subarray(0, 1);
    expect(await readBody(bodyOf([cut]), { maxBytes: MAX_BYTES, budget })).toBe("over_budget");
  });

  it("replaces the bodies that have been idle longest if the budget is full", async () => {
    const budget = createBodyBudget(3000);
    const open = Array.from({ length: 3 }, () => Object.assign(new Readable({ read() {} }), { headers: {} }));
    const results: unknown[] = [];
    for (const [n, body] of open.entries()) {
      void readBody(body, { maxBytes: MAX_BYTES, budget }).then((result) => (results[n] = result));
      body.push(Buffer.allocUnsafeSlow(1000));
      await nextTurn();
    }
    expect(budget.heldBytes).toBe(3000);
    expect(
      await readBody(bodyOf([Buffer.allocUnsafeSlow(10)]), { maxBytes: MAX_BYTES, budget }),
    ).toHaveLength(10);
    await nextTurn();
    expect([results, budget.heldBytes]).toEqual([["over_budget"], 2000]);
    expect([holdMore(budget, 2500), budget.heldBytes]).toEqual([true, 2500]); // room for the inflated body
    await nextTurn();
    expect(results).toEqual(["over_budget", "over_budget", "over_budget"]);
  });

  it("is refused if no other body can be given up", async () => {
    const budget = createBodyBudget(MAX_BYTES);
    expect([holdMore(budget, MAX_BYTES), holdMore(budget, 1), budget.heldBytes]).toEqual([
      true,
      false,
      MAX_BYTES,
    ]);
    const body = bodyOf([Buffer.allocUnsafeSlow(20)]);
    expect(await readBody(body, { maxBytes: MAX_BYTES, budget })).toBe("over_budget");
    expect(budget.heldBytes).toBe(MAX_BYTES);
  });
});

describe("a slow body", () => {
  const WINDOW_BYTES = 2048;

  /** Reads a body of which this many bytes arrive in each time window. */
  async function readIn(windows: readonly number[]): Promise<unknown> {
    const tasks: (() => void)[] = [];
    const later = (_afterMs: number, task: () => void): (() => void) => {
      tasks.push(task);
      return () => void tasks.splice(tasks.indexOf(task), 1);
    };
    const body = Object.assign(new Readable({ read() {} }), { headers: {} });
    const read = readBody(body, { maxBytes: MAX_BYTES, later });
    for (const bytes of windows) {
      if (bytes > 0) body.push(Buffer.alloc(bytes));
      await nextTurn();
      tasks.shift()?.();
    }
    body.push(null);
    const result = await read;
    expect(tasks).toEqual([]);
    return Buffer.isBuffer(result) ? result.length : result;
  }

  it.each<[string, number[], unknown]>([
    ["that arrives in time", [WINDOW_BYTES, WINDOW_BYTES, WINDOW_BYTES], 3 * WINDOW_BYTES],
    ["that trickles", [WINDOW_BYTES - 1], "too_slow"],
    ["of which nothing arrives", [0], "too_slow"],
    ["that stops after many bytes", [MAX_BYTES - 1, 0], "too_slow"],
    ["that never ends", Array(4).fill(WINDOW_BYTES), "too_slow"],
  ])("%s", async (_what, windows, result) => {
    expect(await readIn(windows)).toBe(result);
  });
});
