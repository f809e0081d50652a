import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../rig/in-process.ts";
import { startStoreForTest, type TestStore } from "../rig/real-store.ts";
import { rowLine } from "../rig/row-line.ts";
import { EVENT_TARGET } from "../row.ts";
import { DATABASES, openStore, type StoreAddress } from "./client.ts";
import { startInserterThread } from "./inserter-thread.ts";
import { describeStoreContract } from "./store.contract.ts";

/** Starts a separate store for the tests of a `describe` block. */
function useStore(): () => TestStore {
  let real: TestStore;
  beforeAll(async () => {
    real = await startStoreForTest();
  });
  afterAll(() => real.close());
  return () => real;
}

const lines = (id: string): Buffer => {
  const time = "2026-03-01T12:00:00.000";
  return Buffer.from(
    rowLine({ messageId: id, userId: "u", timestamp: time, receivedAt: time, country: "DE" }),
  );
};

describe("the embedded engine that is sent its rows", () => {
  const real = useStore();
  describeStoreContract(async () => openStore({ socketPath: real().engine.socketPath }));
});

describe("the embedded engine that reads its rows from files", () => {
  const real = useStore();
  const address = (name: string): StoreAddress & { rowsDir: string } => ({
    socketPath: real().engine.socketPath,
    rowsDir: join(real().dir, name),
  });
  describeStoreContract(async () => openStore(address("rows")));

  it("leaves no file behind, whether the insert succeeded or not", async () => {
    const store = openStore(address("passing"));
    await store.insertLines(EVENT_TARGET, lines("passing"), "passing");
    const bad = Buffer.from("bad\n");
    await expect(store.insertLines(EVENT_TARGET, bad, "passing-bad")).rejects.toThrow();
    expect(readdirSync(join(real().dir, "passing"))).toEqual([]);
    await store.close();
  });

  it("stores a large block once although the engine is killed several times while reading it", async () => {
    const store = openStore(address("killed"));
    const block = Buffer.concat(Array.from({ length: 50_000 }, (_, n) => lines(`killed-${n}`)));
    const insert = (): Promise<void> => store.insertLines(EVENT_TARGET, block, "killed");
    for (const afterMs of [60, 180, 400]) {
      const trying = insert().catch(() => {});
      await sleep(afterMs);
      process.kill(real().engine.status().pid ?? 0, "SIGKILL");
      await trying;
      await eventually(
        async () => real().engine.status().state,
        (state) => state !== "ready",
      );
      await real().engine.ready();
    }
    await insert();
    const [row] = await store.query(
      "SELECT count() AS rows, uniqExact(messageId) AS ids FROM events WHERE startsWith(messageId, 'killed-')",
    );
    expect([Number(row?.rows), Number(row?.ids)]).toEqual([50_000, 50_000]);
    expect(readdirSync(join(real().dir, "killed"))).toEqual([]);
    await store.close();
  });

  it("recognises by its token a block that was already sent over HTTP, and the other way round", async () => {
    const [reading, sent] = [openStore(address("both")), openStore({ socketPath: real().engine.socketPath })];
    await reading.insertLines(EVENT_TARGET, lines("read-first"), "read-first");
    await sent.insertLines(EVENT_TARGET, lines("read-first"), "read-first");
    await sent.insertLines(EVENT_TARGET, lines("sent-first"), "sent-first");
    await reading.insertLines(EVENT_TARGET, lines("sent-first"), "sent-first");
    const rows = await sent.query(
      "SELECT messageId FROM events WHERE messageId IN ('read-first', 'sent-first') ORDER BY messageId",
    );
    expect(rows).toEqual([{ messageId: "read-first" }, { messageId: "sent-first" }]);
    await Promise.all([reading.close(), sent.close()]);
  });

  it.each([
    ["that cannot be created", "a-file/rows"],
    ["whose name the engine would read as a pattern", "{a,b}*"],
    ["with quotes and blanks in its name", 'it\'s a "folder" é'],
  ])("stores rows even with a folder %s", async (_, name) => {
    writeFileSync(join(real().dir, "a-file"), "");
    const store = openStore(address(name));
    await store.insertLines(EVENT_TARGET, lines(name), `folder ${name}`);
    const [row] = await store.query("SELECT count() AS rows FROM events WHERE messageId = {name:String}", {
      name,
    });
    expect(Number(row?.rows)).toBe(1);
    await store.close();
  });

  it("deletes at startup what a killed process left behind", async () => {
    const { rowsDir, ...rest } = address("left");
    mkdirSync(rowsDir);
    writeFileSync(join(rowsDir, "left.tsv"), "left\n");
    const inserter = startInserterThread({
      address: { ...rest, rowsDir },
      databases: DATABASES,
      quarantineDir: real().dir,
    });
    expect(readdirSync(real().dir)).not.toContain("left");
    await inserter.close();
  });
});
