import { expect, test } from "vitest";
import type { SdkFigures } from "./figures.ts";
import type { LossFigures } from "./loss.ts";
import { sdkTable } from "./sdk-table.ts";

const nothingLost: LossFigures = { tracked: 1000, lost: 0, repeated: 0, livedOnMs: null };

const candor: SdkFigures = {
  sdk: "candor",
  version: "0.1.0",
  size: { bytes: 90_000, dependencies: 0 },
  smallBursts: { callsPerS: 200_000, turnedCallsPerS: 150_000 },
  largeBursts: { callsPerS: 210_000, turnedCallsPerS: 160_000 },
  pace: {
    callsPerS: 5000,
    addedDelayMs: { p50: 0.02, p99: 0.4, max: 3 },
    addedCpuShare: 0.07,
    arrivedShare: 1,
  },
  memory: { calls: 100_000, addedBytes: 4e6, addedPeakBytes: 5e6, printedBytes: 0 },
  losses: {
    killed: nothingLost,
    exit: nothingLost,
    "main ends": { ...nothingLost, livedOnMs: 20 },
    kept: nothingLost,
  },
};

const rudder: SdkFigures = {
  ...candor,
  sdk: "rudder",
  version: "3.0.13",
  size: { bytes: 3_200_000, dependencies: 30 },
  smallBursts: { callsPerS: 9000, turnedCallsPerS: 8000 },
  largeBursts: { callsPerS: 700, turnedCallsPerS: 690 },
  pace: {
    callsPerS: 4990,
    addedDelayMs: { p50: 0.05, p99: 12, max: 140 },
    addedCpuShare: 0.9,
    arrivedShare: 0.5,
  },
  memory: { calls: 20_000, addedBytes: 60e6, addedPeakBytes: 90e6, printedBytes: 12_345 },
  losses: {
    killed: { ...nothingLost, lost: 1000 },
    exit: { ...nothingLost, lost: 1000 },
    "main ends": { ...nothingLost, lost: 40, repeated: 3, livedOnMs: 7340 },
    kept: { ...nothingLost, lost: 60 },
  },
};

test("each row marks its best value, and all others within the tolerance", () => {
  const cells = sdkTable([candor, rudder])
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  expect(cells.filter((_, index) => index !== 1)).toEqual([
    ["SDK, bold: best", "@candor/node 0.1.0", "rudder-sdk-node 3.0.13"],
    ["track() calls/s, bursts of 100", "**200,000**", "9,000"],
    ["the same: until the event loop turned", "**150,000**", "8,000"],
    ["track() calls/s, bursts of 1,000", "**210,000**", "700"],
    ["the same: until the event loop turned", "**160,000**", "690"],
    ["event loop delay added at 5,000 calls/s: p50", "**0.02 ms**", "**0.05 ms**"],
    ["the same: p99", "**0.40 ms**", "12.0 ms"],
    ["the same: max", "**3.00 ms**", "140 ms"],
    ["the same: added CPU, of one core", "**7%**", "90%"],
    ["the same: calls/s that the host came to make", "**5,000**", "**4,990**"],
    ["the same: arrived within 12 s of the last call", "**100.0%**", "50.0%"],
    ["installed size", "**90 kB**", "3,200 kB"],
    ["dependencies", "**0**", "30"],
    ["memory added, 100,000 calls, collector down", "**4.0 MB**", "60.0 MB (20,000 calls)"],
    ["the same: peak", "**5.0 MB**", "90.0 MB"],
    ["the same: printed into its host", "**0 B**", "12,345 B"],
    ["lost of 1,000, collector down 10 s: kill -9 150 ms after the last call", "**0**", "1,000"],
    ["lost of 1,000, collector down 10 s: process.exit(0)", "**0**", "1,000"],
    ["lost of 1,000, collector down 10 s: main ends", "**0**", "40 (3 twice)"],
    ["the same: the process lived on, collector up", "**0.0 s**", "7.3 s"],
    ["lost of 1,000, collector down 10 s: the process lives on", "**0**", "60"],
  ]);
});
