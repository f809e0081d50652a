/** Measures an SDK's memory while the collector is down. */
import { startHost } from "./host.ts";
import { CALLS_PER_S } from "./pace.ts";
import type { Sink } from "./sink.ts";
import type { Subject } from "./task.ts";
import type { Workplace } from "./workplace.ts";

export type Memory = {
  readonly calls: number;
  readonly residentBytes: number;
  readonly peakBytes: number;
  readonly printedBytes: number;
};
/** Memory figures. The added memory is in addition to that of the same process without an SDK. */
export type MemoryFigures = {
  /** The number of calls made in the available time: MEMORY_CALLS, unless the SDK slowed the process down. */
  readonly calls: number;
  readonly addedBytes: number;
  readonly addedPeakBytes: number;
  /** The number of bytes that the SDK printed to the output of its host. */
  readonly printedBytes: number;
};

export const MEMORY_CALLS = 100_000;

/** Measures memory after MEMORY_CALLS calls at CALLS_PER_S, with the collector down. */
export async function measureMemory(subject: Subject, sink: Sink, workplace: Workplace): Promise<Memory> {
  const { host: address } = await sink.lane();
  const durationMs = (MEMORY_CALLS / CALLS_PER_S) * 1000;
  const host = startHost(subject, workplace.place(address), {
    role: "pace",
    callsPerS: CALLS_PER_S,
    durationMs,
    warmupMs: 0,
  });
  try {
    const { calls } = await host.answer();
    return {
      calls,
      residentBytes: host.residentBytes(),
      peakBytes: host.peakResidentBytes(),
      printedBytes: host.printedBytes(),
    };
  } finally {
    await host.kill();
  }
}

export function addedMemory(memory: Memory, without: Memory): MemoryFigures {
  return {
    calls: memory.calls,
    addedBytes: memory.residentBytes - without.residentBytes,
    addedPeakBytes: memory.peakBytes - without.peakBytes,
    printedBytes: memory.printedBytes,
  };
}
