import { expect, test } from "vitest";
import { addedPace, type PaceRound } from "./pace.ts";

function round(ms: number, cpuShare: number, arrivedShare = 1): PaceRound {
  return {
    calls: 30_000,
    callsPerS: 5000,
    delayMs: { p50: ms, p99: ms * 2, max: ms * 4 },
    cpuShare,
    arrivedShare,
  };
}

test("added delay is the difference of the quietest rounds, added CPU time the median difference by round", () => {
  const rounds = [round(2, 0.25), round(9, 0.75, 0.5), round(3, 0.5)];
  const without = [round(8, 0.125), round(1.5, 0.25), round(1, 0.25)];
  expect(addedPace(rounds, without)).toEqual({
    callsPerS: 5000,
    addedDelayMs: { p50: 1, p99: 2, max: 4 },
    addedCpuShare: 0.25,
    arrivedShare: 1,
  });
});
