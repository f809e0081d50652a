import { expect, test } from "vitest";
import type { Cost, CostRound } from "./cost.ts";
import { costTable, cpuTable } from "./cost-table.ts";

const round = (eventsPerS: number, p99Ms: number, isAtRest = true, statuses = {}): CostRound => ({
  load: {
    requests: eventsPerS,
    events: eventsPerS,
    requestsPerS: eventsPerS,
    eventsPerS,
    p50Ms: p99Ms / 2,
    p90Ms: p99Ms,
    p99Ms,
    maxMs: p99Ms,
    acknowledgedEvents: eventsPerS,
    errors: { statuses, disconnects: 0, refusedEvents: 0 },
    cpuShare: 0.5,
    watchedCpuShares: [1],
  },
  measuredCpuS: 20,
  restCpu: { mainThreadS: 19, inserterS: 4, otherThreadsS: 2, engineS: 15 },
  isAtRest,
  generatorUs: 1.5,
});

const cost = (rounds: readonly CostRound[]): Cost => ({
  subject: "Candor",
  nodeVersion: "26.1.0",
  batchSize: 100,
  rounds,
  // The machine slows down from round to round, so only a comparison round by round
  // gives a ratio of one half.
  baseline: [round(2000, 10), round(1000, 20), round(400, 40)],
});

function cellsOf(rounds: readonly CostRound[]): string[] {
  const [, , line = ""] = costTable([cost(rounds)]).split("\n");
  return line.split("|").map((cell) => cell.trim());
}

test("ratios are computed round by round, and figures are medians", () => {
  expect(cellsOf([round(1000, 30), round(500, 60), round(200, 120)])).toEqual([
    "",
    "batches of 100, Candor, Node 26.1.0",
    "500",
    "50%",
    "30.0",
    "60.0",
    "3.00",
    "20.0",
    "40.0",
    "1.50",
    "",
  ]);
});

test("rounds in which the collector was still busy are marked, and so are refusals", () => {
  const cells = cellsOf([round(1000, 30), round(500, 60, false), round(200, 120, true, { 503: 2 })]);
  expect(cells[1]).toBe("batches of 100, Candor, Node 26.1.0 (2 x 503)");
  expect(cells[8]).toBe(">40.0");
});

test("CPU time is listed by thread and process", () => {
  const [, , line = ""] = cpuTable([cost([round(1000, 30)])]).split("\n");
  expect(line.replaceAll(/ +/g, " ")).toBe(
    "| batches of 100, Candor, Node 26.1.0 | 19.0 | 4.00 | 2.00 | 15.0 |",
  );
});
