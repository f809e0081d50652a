import { expect, test } from "vitest";
import { type CpuProfile, type ProfileNode, selfTimesOf } from "./cpu-profile.ts";

const node = (id: number, functionName: string, url = "", lineNumber = -1): ProfileNode => ({
  id,
  callFrame: { functionName, url, lineNumber },
});

/**
 * One sample per millisecond. The function `enforce` of pipeline.js is at two places in the call tree (nodes
 * 3 and 5), and another file has a function of the same name (node 6).
 */
const profile: CpuProfile = {
  nodes: [
    node(1, "(root)"),
    node(2, "(idle)"),
    node(3, "enforce", "file:///app/dist/pipeline.js", 9),
    node(4, "(garbage collector)"),
    node(5, "enforce", "file:///app/dist/pipeline.js", 9),
    node(6, "enforce", "file:///app/dist/other.js", 0),
  ],
  startTime: 1_000_000,
  samples: [2, 3, 5, 3, 4, 6, 6, 2],
  timeDeltas: Array.from({ length: 8 }, () => 1000),
};

test("self time is summed for each function over all call sites, as a share of the busy time", () => {
  expect(selfTimesOf(profile)).toEqual({
    busyShare: 6 / 8,
    functions: [
      { functionName: "enforce", url: "file:///app/dist/pipeline.js", line: 10, share: 3 / 6 },
      { functionName: "enforce", url: "file:///app/dist/other.js", line: 1, share: 2 / 6 },
      { functionName: "(garbage collector)", url: "", line: 0, share: 1 / 6 },
    ],
  });
});

test("only samples in the window count; its end is excluded", () => {
  // The samples at 4 and 5 ms are a call of `enforce` and the garbage collector.
  expect(selfTimesOf(profile, [1_004_000, 1_006_000])).toMatchObject({
    busyShare: 1,
    functions: [
      { functionName: "enforce", share: 1 / 2 },
      { functionName: "(garbage collector)", share: 1 / 2 },
    ],
  });
});

test("a window without samples has no functions", () => {
  expect(selfTimesOf(profile, [0, 1])).toEqual({ busyShare: 0, functions: [] });
});
