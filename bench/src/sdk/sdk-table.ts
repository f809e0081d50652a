/** Renders the table that compares the SDKs for servers. */
import { formatCount, formatMs, formatPercent, markdownTable } from "../table.ts";
import { LARGE_BURST_CALLS, SMALL_BURST_CALLS } from "./bursts.ts";
import type { SdkFigures } from "./figures.ts";
import { DOWN_MS, LOST_OF } from "./loss.ts";
import { MEMORY_CALLS } from "./memory.ts";
import { ARRIVE_WITHIN_MS, CALLS_PER_S } from "./pace.ts";
import type { BurstAnswer, Ending, SdkName } from "./task.ts";

type Row = {
  readonly measure: string;
  readonly best: "most" | "least";
  /** Values this close to the best count as equally good, because the measurement cannot tell them apart. */
  readonly tolerance?: number;
  value(figures: SdkFigures): number;
  print(value: number, figures: SdkFigures): string;
};

const TITLES: Readonly<Record<SdkName, string>> = {
  candor: "@candor/node",
  segment: "@segment/analytics-node",
  posthog: "posthog-node",
  rudder: "rudder-sdk-node",
};

/**
 * Smaller differences mean nothing, because the delays are measured with a timer whose resolution is 1 ms.
 */
const DELAY_TOLERANCE_MS = 0.1;
const MEMORY_TOLERANCE_BYTES = 1e6;

const ms = (value: number) => `${formatMs(value)} ms`;
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

const rows: readonly Row[] = [
  burstRow(SMALL_BURST_CALLS, "callsPerS", ({ smallBursts }) => smallBursts),
  burstRow(SMALL_BURST_CALLS, "turnedCallsPerS", ({ smallBursts }) => smallBursts),
  burstRow(LARGE_BURST_CALLS, "callsPerS", ({ largeBursts }) => largeBursts),
  burstRow(LARGE_BURST_CALLS, "turnedCallsPerS", ({ largeBursts }) => largeBursts),
  delayRow("p50"),
  delayRow("p99"),
  delayRow("max"),
  {
    measure: "the same: added CPU, of one core",
    best: "least",
    value: ({ pace }) => pace.addedCpuShare,
    print: formatPercent,
  },
  {
    measure: "the same: calls/s that the host came to make",
    best: "most",
    tolerance: CALLS_PER_S / 100,
    value: ({ pace }) => pace.callsPerS,
    print: formatCount,
  },
  {
    measure: `the same: arrived within ${ARRIVE_WITHIN_MS / 1000} s of the last call`,
    best: "most",
    value: ({ pace }) => pace.arrivedShare,
    print: (share) => `${(share * 100).toFixed(1)}%`,
  },
  {
    measure: "installed size",
    best: "least",
    value: ({ size }) => size.bytes,
    print: (bytes) => `${formatCount(bytes / 1000)} kB`,
  },
  {
    measure: "dependencies",
    best: "least",
    value: ({ size }) => size.dependencies,
    print: formatCount,
  },
  {
    measure: `memory added, ${formatCount(MEMORY_CALLS)} calls, collector down`,
    best: "least",
    tolerance: MEMORY_TOLERANCE_BYTES,
    value: ({ memory }) => memory.addedBytes,
    print: (bytes, { memory }) => megabytes(bytes) + callsOf(memory.calls),
  },
  {
    measure: "the same: peak",
    best: "least",
    tolerance: MEMORY_TOLERANCE_BYTES,
    value: ({ memory }) => memory.addedPeakBytes,
    print: megabytes,
  },
  {
    measure: "the same: printed into its host",
    best: "least",
    value: ({ memory }) => memory.printedBytes,
    print: (bytes) => `${formatCount(bytes)} B`,
  },
  lossRow("killed", "kill -9 150 ms after the last call"),
  lossRow("exit", "process.exit(0)"),
  lossRow("main ends", "main ends"),
  {
    measure: "the same: the process lived on, collector up",
    best: "least",
    // A process without an SDK also takes a fraction of a second to end.
    tolerance: 0.1,
    value: ({ losses }) => (losses["main ends"].livedOnMs ?? 0) / 1000,
    print: (seconds) => `${seconds.toFixed(1)} s`,
  },
  lossRow("kept", "the process lives on"),
];

const NOTES = [
  "Memory and losses are of one run, delays of the quietest round, the rest medians of the rounds. Bold: the best, and what the",
  `measurement cannot tell from it (${DELAY_TOLERANCE_MS} ms of delay, ${MEMORY_TOLERANCE_BYTES / 1e6} MB). Added: above the same process without an SDK.`,
  "The peers' calls put an event into a queue in memory and leave the work for later; Candor's call checks it against the plan,",
  "hashes and serializes it. So the row of the calls alone is not Candor's; the delay and the CPU time have the whole work in them.",
].join("\n");

/** Renders a column per SDK and a row per measure, with the best in bold, and notes on how to read it. */
export function sdkTable(figures: readonly SdkFigures[]): string {
  return `${tableOf(figures)}\n\n${NOTES}`;
}

function tableOf(figures: readonly SdkFigures[]): string {
  return markdownTable(
    ["SDK, bold: best", ...figures.map(({ sdk, version }) => `${TITLES[sdk]} ${version}`)],
    rows.map(({ measure, best, tolerance = 0, value, print }) => {
      const values = figures.map(value);
      const top = best === "most" ? Math.max(...values) : Math.min(...values);
      return [
        measure,
        ...figures.map((each) => {
          const own = value(each);
          const text = print(own, each);
          return Math.abs(own - top) <= tolerance ? `**${text}**` : text;
        }),
      ];
    }),
  );
}

function burstRow(
  calls: number,
  which: "callsPerS" | "turnedCallsPerS",
  bursts: (figures: SdkFigures) => BurstAnswer,
): Row {
  const subject = `track() calls/s, bursts of ${formatCount(calls)}`;
  return {
    measure: which === "callsPerS" ? subject : "the same: until the event loop turned",
    best: "most",
    value: (figures) => bursts(figures)[which],
    print: formatCount,
  };
}

function delayRow(which: "p50" | "p99" | "max"): Row {
  const subject =
    which === "p50" ? `event loop delay added at ${formatCount(CALLS_PER_S)} calls/s` : "the same";
  return {
    measure: `${subject}: ${which}`,
    best: "least",
    tolerance: DELAY_TOLERANCE_MS,
    value: ({ pace }) => pace.addedDelayMs[which],
    print: ms,
  };
}

function lossRow(ending: Ending, end: string): Row {
  return {
    measure: `lost of ${formatCount(LOST_OF)}, collector down ${DOWN_MS / 1000} s: ${end}`,
    best: "least",
    value: ({ losses }) => losses[ending].lost,
    print: (lost, { losses }) => {
      const { repeated } = losses[ending];
      return repeated === 0 ? formatCount(lost) : `${formatCount(lost)} (${formatCount(repeated)} twice)`;
    },
  };
}

/** The number of calls in parentheses; empty if at least 99% of the calls were made. */
function callsOf(calls: number): string {
  return calls >= MEMORY_CALLS * 0.99 ? "" : ` (${formatCount(calls)} calls)`;
}
