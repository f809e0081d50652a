import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { REFERENCE_PLAN } from "../../../plan/src/rig/reference-plan.ts";
import { createPlanCounts } from "../enforce/plan-counts.ts";
import { startStoreForTest, type TestStore } from "../rig/real-store.ts";
import { createAlone } from "./drain.ts";
import { openPlanStore, type PlanStore } from "./plan-store.ts";

const NOW_MS = Date.parse("2026-11-27T04:00:00.000Z");
const HEARTBEAT = { iid: 1, day: "2026-11-26", rd: "2026-11-26", heartbeats: 1 };

let real: TestStore;
let planStore: PlanStore;
let comparisons = 0;
const lines: string[] = [];

beforeAll(async () => {
  real = await startStoreForTest();
  const alone = createAlone();
  planStore = openPlanStore({
    store: real.store,
    plan: () => REFERENCE_PLAN,
    counts: createPlanCounts(),
    alone: (task, signal) => {
      comparisons += 1;
      return alone(task, signal);
    },
    now: () => NOW_MS,
    report: (line) => lines.push(line),
  });
  await planStore.apply();
});
afterAll(async () => {
  await planStore?.close();
  await real?.close();
});

it("a comparison of the rollups with the events is remembered, and a difference is reported", async () => {
  expect(planStore.lastComparison()).toBeUndefined();
  expect(await planStore.compare()).toEqual([]);
  expect(planStore.lastComparison()).toEqual({ atMs: NOW_MS, differences: 0 });
  expect(lines).toEqual([]);

  await real.store.insertRows("instance_days", [HEARTBEAT]);
  expect(await planStore.compare()).toEqual([
    { month: 202611, rollup: "instance_days", events: 0, counted: 1 },
  ]);
  expect(planStore.lastComparison()).toEqual({ atMs: NOW_MS, differences: 1 });
  expect(lines).toEqual(["The tables that reports read differ from the events. Run: candor rebuild"]);

  await planStore.noteMonths([202611]);
  await planStore.rebuild();
  expect(await planStore.compare()).toEqual([]);
});

it("counts are in the store once they are kept, also if another call had begun to store them", async () => {
  const counts = createPlanCounts();
  let isStored = false;
  const slow: TestStore["store"] = {
    ...real.store,
    insertRows: async (...rows) => {
      await sleep(50);
      await real.store.insertRows(...rows);
      isStored = true;
    },
  };
  const options = {
    store: slow,
    counts,
    plan: () => REFERENCE_PLAN,
    alone: createAlone(),
    now: () => NOW_MS,
  };
  const other = openPlanStore({ ...options, report: () => {} });
  counts.add("server", 3, { event: "*", refused: "event_not_in_plan", trims: [], contact: undefined });
  const first = other.keepCounts();
  await other.keepCounts();
  expect(isStored).toBe(true);
  await first;
  await other.close();
});

it("many who ask for a comparison at once share two, so that the drain's insert finds its place", async () => {
  comparisons = 0;
  await Promise.all(Array.from({ length: 50 }, () => planStore.compare()));
  expect(comparisons).toBe(2);
});
