/** The tables of what an event costs. */
import type { Cost, CostRound, CpuBy } from "./cost.ts";
import { median } from "./latencies.ts";
import { describeErrors } from "./load-options.ts";
import { formatCount, formatMs, formatPercent, markdownTable } from "./table.ts";

const HEADER = [
  "32 connections",
  "events/s",
  "of baseline",
  "p50 ms",
  "p99 ms",
  "p99 to baseline",
  "CPU s per million, measured",
  "until at rest",
  "generator, us an event",
];

/**
 * Medians over the rounds. What is set against the baseline is so round by round, and the median taken of that: on a machine whose
 * speed wavers, neighbours in time compare, medians of different moments do not.
 */
export function costTable(costs: readonly Cost[]): string {
  return markdownTable(HEADER, costs.map(costRow));
}

function costRow(cost: Cost): string[] {
  const { subject, rounds, baseline } = cost;
  const middle = (read: (round: CostRound) => number) => median(rounds.map(read));
  const toBaseline = (read: (round: CostRound) => number) =>
    median(rounds.flatMap((round, index) => (baseline[index] ? [read(round) / read(baseline[index])] : [])));
  const isBaseline = subject === "baseline";
  // What was still at work when the time was over had cost more by the end.
  const atLeast = rounds.every(({ isAtRest }) => isAtRest) ? "" : ">";
  return [
    nameOf(cost) + faultsOf(rounds),
    formatCount(middle(({ load }) => load.eventsPerS)),
    isBaseline ? "" : formatPercent(toBaseline(({ load }) => load.eventsPerS)),
    formatMs(middle(({ load }) => load.p50Ms)),
    formatMs(middle(({ load }) => load.p99Ms)),
    isBaseline ? "" : toBaseline(({ load }) => load.p99Ms).toFixed(2),
    formatMs(middle(({ measuredCpuS }) => measuredCpuS)),
    atLeast + formatMs(middle(({ restCpuS }) => restCpuS)),
    formatMs(middle(({ generatorUs }) => generatorUs)),
  ];
}

/** Whose CPU time it is, in seconds per million events until all is at rest. */
export function cpuTable(costs: readonly Cost[]): string {
  return markdownTable(
    ["CPU s per million until at rest", "main thread", "inserter", "other threads", "engine"],
    costs.map((cost) => {
      const middle = (read: (by: CpuBy) => number) =>
        formatMs(median(cost.rounds.map(({ restCpuBy }) => read(restCpuBy))));
      return [
        nameOf(cost),
        middle(({ mainThreadS }) => mainThreadS),
        middle(({ inserterS }) => inserterS),
        middle(({ otherThreadsS }) => otherThreadsS),
        middle(({ engineS }) => engineS),
      ];
    }),
  );
}

function nameOf({ subject, nodeVersion, batchSize }: Cost): string {
  const size = batchSize === 1 ? "single events" : `batches of ${batchSize}`;
  return `${size}, ${subject}, Node ${nodeVersion}`;
}

/** A rate with refusals or lost connections in it is no rate; so they stand beside it. */
function faultsOf(rounds: readonly CostRound[]): string {
  const faults = rounds.map(({ load }) => describeErrors(load.errors)).filter((fault) => fault !== null);
  return faults.length === 0 ? "" : ` (${faults.join("; ")})`;
}
