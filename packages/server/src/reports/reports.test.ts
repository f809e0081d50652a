import { afterAll, describe, expect, it } from "vitest";
import { startStoreForTest, type TestStore } from "../rig/real-store.ts";
import { middleOf } from "./features-report.ts";
import { describeReportsContract } from "./reports.contract.ts";

let real: TestStore;
afterAll(() => real.close());

describe("reports on the embedded engine say what the messages say", () => {
  describeReportsContract(async () => {
    real = await startStoreForTest();
    return real.store;
  });
});

describe("percentile buckets", () => {
  it("have a middle within 3.1 % of every value in them", () => {
    for (let value = 0; value < 100_000; value += 1 + Math.floor(value / 50)) {
      const octave = Math.floor(Math.log2(Math.max(value, 16))) - 4;
      const bucket = value < 16 ? value : 16 * octave + Math.floor(value / 2 ** octave);
      expect(Math.abs(middleOf(bucket) - value)).toBeLessThanOrEqual(value * 0.031);
    }
  });
});
