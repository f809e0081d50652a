/** Renders the tables of what an event costs. */
import type { Cost, CostRound, CpuSeconds } from "./cost.ts";
import { median } from "./latencies.ts";
import { faultsOf, nameBatchSize } from "./load-options.ts";
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
 * Renders medians over the rounds. Each round is compared with the baseline's round of the same number, and
 * the table shows the median of these ratios: if the machine's speed varies, only rounds that are close in
 * time are comparable.
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
  // If work was left when the time was up, the round cost more than was measured.
  const atLeast = rounds.every(({ isAtRest }) => isAtRest) ? "" : ">";
  return [
    nameOf(cost) + faultsOf(rounds.map(({ load }) => load)),
    formatCount(middle(({ load }) => load.eventsPerS)),
    isBaseline ? "" : formatPercent(toBaseline(({ load }) => load.eventsPerS)),
    formatMs(middle(({ load }) => load.p50Ms)),
    formatMs(middle(({ load }) => load.p99Ms)),
    isBaseline ? "" : toBaseline(({ load }) => load.p99Ms).toFixed(2),
    formatMs(middle(({ measuredCpuS }) => measuredCpuS)),
    atLeast + formatMs(middle(({ restCpu }) => totalS(restCpu))),
    formatMs(middle(({ generatorUs }) => generatorUs)),
  ];
}

/**
 * Renders the CPU seconds per million events until no work is left, by thread and process, as medians over
 * the rounds.
 */
export function cpuTable(costs: readonly Cost[]): string {
  return markdownTable(
    ["CPU s per million until at rest", "main thread", "inserter", "other threads", "engine"],
    costs.map((cost) => {
      const middle = (read: (cpu: CpuSeconds) => number) =>
        formatMs(median(cost.rounds.map(({ restCpu }) => read(restCpu))));
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

function totalS({ mainThreadS, inserterS, otherThreadsS, engineS }: CpuSeconds): number {
  return mainThreadS + inserterS + otherThreadsS + engineS;
}

function nameOf({ subject, nodeVersion, batchSize }: Cost): string {
  return `${nameBatchSize(batchSize)}, ${subject}, Node ${nodeVersion}`;
}
