import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCollector, writeKeys } from "@candor/bench/collector";
import { runLoad } from "@candor/bench/load-options";
import { expect, it } from "vitest";

/** Time after which all code that requests run through has been compiled. */
const WARM_UP_MS = 2000;
const MEASURED_MS = 2000;
/**
 * The largest allowed share of allocated memory that outlives a collection. Some promises and counters are in
 * use while a collection runs.
 */
const MAX_LEFT_SHARE = 0.05;
const SCAVENGE = /\[\d+:(0x[0-9a-f]+)\].* Scavenge ([\d.]+) \([\d.]+\) -> ([\d.]+) /g;

/** A collection of the young generation: the heap size before and after it, in MB. */
interface Scavenge {
  readonly before: number;
  readonly after: number;
}

/**
 * Returns the collections that V8 reported for the thread with the most of them, which is the thread that
 * answers requests.
 */
function scavengesOf(output: string): readonly Scavenge[] {
  const byThread = new Map<string, Scavenge[]>();
  for (const [, thread = "", before, after] of output.matchAll(SCAVENGE)) {
    const known = byThread.get(thread) ?? [];
    known.push({ before: Number(before), after: Number(after) });
    byThread.set(thread, known);
  }
  return [...byThread.values()].sort((a, b) => b.length - a.length)[0] ?? [];
}

it("the next collection of the young generation frees what a request allocates", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "candor-garbage-"));
  const collector = await startCollector({ dataDir, nodeFlags: ["--trace-gc"] });
  await runLoad({
    url: collector.url,
    writeKey: writeKeys.server,
    batchSize: 1,
    warmupMs: WARM_UP_MS,
    durationMs: MEASURED_MS,
    idPrefix: "gc",
  });
  const scavenges = scavengesOf(collector.output()).slice(-10);
  await collector.stop();
  rmSync(dataDir, { recursive: true });

  expect(scavenges.length).toBeGreaterThan(4);
  let allocatedMb = 0;
  let leftMb = 0;
  for (const [index, { before, after }] of scavenges.entries()) {
    const previous = scavenges[index - 1]?.after;
    // A collection of the old generation ran in between.
    if (previous === undefined || before < previous) continue;
    allocatedMb += before - previous;
    leftMb += Math.max(0, after - previous);
  }
  console.log(
    `${leftMb.toFixed(1)} of ${allocatedMb.toFixed(0)} MB outlived ${scavenges.length} collections`,
  );
  expect(leftMb / allocatedMb).toBeLessThan(MAX_LEFT_SHARE);
});
