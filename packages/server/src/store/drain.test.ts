import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openAppendLog } from "../log/append-log.ts";
import type { Log } from "../log/log.ts";
import { startStoreForTest, type TestStore } from "../rig/real-store.ts";
import { rowLine } from "../rig/row-line.ts";
import type { Store } from "./client.ts";
import { createAlone, startDrain, toPauseMs } from "./drain.ts";
import { createInserter } from "./inserter.ts";
import { listQuarantined, openQuarantine } from "./quarantine.ts";

let real: TestStore;
let store: Store;
let log: Log;
let dir: string;

beforeAll(async () => {
  real = await startStoreForTest();
  ({ store } = real);
});
afterAll(() => real.close());
beforeEach(async () => {
  dir = mkdtempSync(join(real.dir, "data-"));
  await store.command("TRUNCATE TABLE events");
  log = await openAppendLog({ dir, keepKeys: async () => {} });
});

const TIME = "2026-03-01T12:00:00.000";
const line = (id: string): string =>
  rowLine({
    event: "Drained",
    messageId: id,
    userId: "u",
    timestamp: TIME,
    receivedAt: TIME,
    country: "DE",
    envelope: `{"messageId":"${id}"}`,
  });
const append = (lines: string[]): Promise<void> =>
  log.append(new Uint32Array(2 * lines.length).fill(1), lines.join(""));
const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => `m${n}`);

async function storedIds(): Promise<string[]> {
  const rows = await store.query("SELECT messageId FROM events ORDER BY messageId");
  return rows.map((row) => String(row.messageId));
}

interface Counts {
  drained: number;
  retries: number;
  quarantine: number;
}

/** Drains the log into a store that may fail, and returns what was counted. */
async function drainWith(faulty: Store, deadlineMs = 60_000): Promise<Counts> {
  const counts: Counts = { drained: 0, retries: 0, quarantine: 0 };
  const drain = startDrain({
    log,
    inserter: createInserter(faulty, openQuarantine(dir)),
    alone: createAlone(),
    prepare: async () => {},
    onFatal: () => {},
    onStoreChange: () => {},
    meters: {
      countDrained: (rows) => {
        counts.drained += rows;
      },
      countInsertRetry: () => {
        counts.retries += 1;
      },
      countQuarantined: (rows) => {
        counts.quarantine += rows;
      },
    },
    lingerMs: 10,
  });
  await drain.close(deadlineMs);
  return counts;
}

describe("the drain", () => {
  it("stores a block once although the store's answer is lost several times", async () => {
    await append(ids(500).map(line));
    let failures = 3;
    const forgetful: Store = {
      ...store,
      insertLines: async (target, lines, token) => {
        await store.insertLines(target, lines, token);
        if (failures-- > 0) throw new Error("connection lost");
      },
    };
    expect(await drainWith(forgetful)).toEqual({ drained: 500, retries: 3, quarantine: 0 });
    expect(await storedIds()).toEqual(ids(500).sort());
    expect(log.pending().rows).toBe(0);
  });

  it("quarantines each bad row alone, and stores all others once", async () => {
    const lines = ids(1000).map(line);
    for (const bad of [0, 17, 18, 999]) lines[bad] = `server\ttrack\tbad ${bad}\n`;
    await append(lines);
    expect(await drainWith(store)).toMatchObject({ drained: 1000, quarantine: 4 });
    const good = ids(1000).filter((_, n) => ![0, 17, 18, 999].includes(n));
    expect(await storedIds()).toEqual(good.sort());
    expect(
      listQuarantined(dir)
        .map((row) => row.line.slice(13))
        .sort(),
    ).toEqual(["bad 0", "bad 17", "bad 18", "bad 999"]);
    expect(listQuarantined(dir)[0]?.fault).toMatch(/^CANNOT_/);
  });

  it("does not duplicate a row if it is stopped while it bisects a block", async () => {
    const lines = ids(64).map(line);
    lines[40] = "bad\n";
    await append(lines);
    for (let inserts = 1; inserts < 8; inserts++) {
      let left = inserts;
      const dying: Store = {
        ...store,
        insertLines: async (target, part, token) => {
          await store.insertLines(target, part, token);
          if (--left === 0) throw new Error("killed here");
          if (left < 0) throw new Error("dead");
        },
      };
      await drainWith(dying, 60);
      log = await openAppendLog({ dir, keepKeys: async () => {} }); // as after a restart
    }
    await drainWith(store);
    expect(await storedIds()).toEqual(
      ids(64)
        .filter((id) => id !== "m40")
        .sort(),
    );
    expect(listQuarantined(dir)).toHaveLength(1);
  });

  it("retries a block, and quarantines nothing, while the store is at fault", async () => {
    await append(ids(10).map(line));
    await store.command("RENAME TABLE events TO away");
    const counts = await drainWith(store, 700);
    expect(counts).toMatchObject({ drained: 0, quarantine: 0 });
    expect(counts.retries).toBeGreaterThan(1);
    await store.command("RENAME TABLE away TO events");
    log = await openAppendLog({ dir, keepKeys: async () => {} });
    expect(await drainWith(store)).toMatchObject({ drained: 10 });
    expect(await storedIds()).toEqual(ids(10).sort());
  });

  it("pauses after a block while messages keep this process busy, until a row has waited for a minute", () => {
    expect(toPauseMs(100, 0.2, 0)).toBe(0);
    expect(toPauseMs(100, 0.5, 0)).toBe(0);
    expect(toPauseMs(100, 0.75, 0)).toBe(200);
    expect(toPauseMs(100, 1, 59_000)).toBe(400);
    expect(toPauseMs(100, 1, 61_000)).toBe(0);
  });
});
