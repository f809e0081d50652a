import { expect, test } from "vitest";
import { type CpuProfile, type Part, type ProfileNode, sharesOf } from "./cpu-profile.ts";

const node = (id: number, functionName: string, url: string, children: number[] = []): ProfileNode => ({
  id,
  callFrame: { functionName, url },
  children,
});

/** One sample a millisecond: four in or below `enforce`, two of them by way of recursion; two of another file's. */
const profile: CpuProfile = {
  nodes: [
    node(1, "(root)", "", [2, 3, 4]),
    node(2, "(idle)", ""),
    node(3, "(garbage collector)", ""),
    node(4, "runSteps", "file:///app/dist/pipeline.js", [5, 6]),
    node(5, "enforce", "file:///app/dist/pipeline.js", [7]),
    node(6, "enforce", "file:///app/dist/other.js"),
    node(7, "check", "file:///app/dist/plan.js", [8]),
    node(8, "enforce", "file:///app/dist/pipeline.js"),
  ],
  startTime: 1_000_000,
  samples: [2, 5, 7, 8, 8, 6, 6, 3, 4, 4, 2],
  timeDeltas: Array.from({ length: 11 }, () => 1000),
};

const parts: Part[] = [
  { name: "the plan", functions: ["locate", "enforce"], file: "/dist/pipeline.js" },
  { name: "anything called enforce", functions: ["enforce"] },
  { name: "collecting garbage", functions: ["(garbage collector)"] },
  { name: "what never ran", functions: ["append"] },
];

test("a part's share is of the samples that were not idle, each counted once, with what it called", () => {
  expect(sharesOf(profile, parts)).toEqual({ samples: 9, shares: [4 / 9, 6 / 9, 1 / 9, 0] });
});

test("only samples of the window count, its end excluded", () => {
  expect(sharesOf(profile, parts, [1_004_000, 1_007_000])).toEqual({
    samples: 3, // at 4, 5 and 6 ms: node 8, node 8, node 6
    shares: [2 / 3, 1, 0, 0],
  });
});
