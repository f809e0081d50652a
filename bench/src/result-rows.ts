/**
 * Formats the figures of the parts `drain`, `freshness`, `beside` and `disk` as rows of the table that they share in
 * the output.
 */

import type { BesideFigures } from "./beside.ts";
import type { StoreSize } from "./disk.ts";
import type { DrainFigures } from "./drain.ts";
import type { FreshnessFigures } from "./freshness.ts";
import { faultsOf } from "./load-options.ts";
import { formatCount, formatMb, formatMs } from "./table.ts";

/** The columns of the table. A cell is empty if its row has no such figure. */
export const resultHeader: readonly string[] = ["measured", "figure", "p50 ms", "p99 ms"];

export function drainRows(figures: DrainFigures): string[][] {
  const { load, drainedPerSUnderLoad, drainedPerSAfter, drainedAfterMs, memory } = figures;
  const rate = (value: number) => (Number.isNaN(value) ? "nothing left" : `${formatCount(value)} rows/s`);
  return [
    [
      `acknowledged, batches of 100${faultsOf([load])}`,
      `${formatCount(load.eventsPerS)} events/s`,
      formatMs(load.p50Ms),
      formatMs(load.p99Ms),
    ],
    ["drained meanwhile", rate(drainedPerSUnderLoad)],
    ["drained afterwards", rate(drainedPerSAfter)],
    ["time until drained after the load", `${formatMs(drainedAfterMs / 1000)} s`],
    ...memory.flatMap(({ when, serverBytes, engineBytes }) => [
      [`memory of the server, ${when}`, formatMb(serverBytes)],
      [`memory of the engine, ${when}`, formatMb(engineBytes)],
    ]),
  ];
}

export function freshnessRows({
  load,
  probes,
  p50Ms,
  p99Ms,
  maxMs,
  queryP50Ms,
}: FreshnessFigures): string[][] {
  return [
    [
      `acknowledged to readable at ${formatCount(load.eventsPerS)} events/s${faultsOf([load])}`,
      `${probes} probes, worst ${formatMs(maxMs)} ms`,
      formatMs(p50Ms),
      formatMs(p99Ms),
    ],
    ["of which one GET /api/count", "", formatMs(queryP50Ms)],
  ];
}

export function besideRows({ alone, beside, steady, reports, p50Ms, p95Ms }: BesideFigures): string[][] {
  const share = `${Math.round((100 * beside.eventsPerS) / alone.eventsPerS)}%`;
  return [
    [`acknowledged without reports${faultsOf([alone])}`, `${formatCount(alone.eventsPerS)} events/s`],
    [
      `acknowledged beside reports${faultsOf([beside])}`,
      `${formatCount(beside.eventsPerS)} events/s, ${share}`,
    ],
    [
      `reports beside ${formatCount(steady.eventsPerS)} events/s${faultsOf([steady])}`,
      `${reports} reports, p95 ${formatMs(p95Ms)} ms`,
      formatMs(p50Ms),
    ],
  ];
}

export function diskRows({ rows, eventsBytes, databaseBytes }: StoreSize): string[][] {
  const each = (bytes: number) => `${(bytes / rows).toFixed(1)} bytes an event`;
  return [
    [`disk after merges, ${formatCount(rows)} events, their table`, each(eventsBytes)],
    ["disk after merges, whole database", each(databaseBytes)],
  ];
}
