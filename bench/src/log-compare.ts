/**
 * What the collector's log could be built on: an lmdb environment, or an append file with a group fdatasync. 32 writers, each
 * waiting for its value to be flushed before it writes the next.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import { openGroupAppend } from "./group-append.ts";
import { median, recordLatencies } from "./latencies.ts";
import { formatCount, formatMs, formatPercent, markdownTable } from "./table.ts";

export type LogCompareOptions = {
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmupMs: number;
};

type Writer = { readonly name: string; open(folder: string): OpenWriter };
type OpenWriter = { write(value: Buffer): Promise<void>; close(): Promise<void> };
type Figures = { readonly eventsPerS: number; readonly p50Ms: number; readonly p99Ms: number };

const WRITERS = 32;
const EVENT_BYTES = 900;

const candidates: readonly Writer[] = [
  { name: "append file, group fdatasync", open: openAppend },
  { name: "lmdb 3.5.6, put and flushed", open: openLmdb },
];

/** Prints nothing; resolves with the table. Candidates take turns, so that a noisy moment of the machine meets both. */
export async function compareLogs(options: LogCompareOptions): Promise<string> {
  const rows: string[][] = [];
  for (const events of [1, 100]) {
    const figures = new Map<Writer, Figures[]>(candidates.map((candidate) => [candidate, []]));
    for (let round = 0; round < options.rounds; round++) {
      for (const candidate of candidates)
        figures.get(candidate)?.push(await measure(candidate, events, options));
    }
    const first = [...figures.values()][0] ?? [];
    for (const [{ name }, rounds] of figures) {
      // Round by round, because neighbours in time met the same machine.
      const toFirst = median(
        rounds.map((round, index) => round.eventsPerS / (first[index]?.eventsPerS ?? Number.NaN)),
      );
      const middle = (key: keyof Figures) => median(rounds.map((round) => round[key]));
      const p50 = formatMs(middle("p50Ms"));
      const rate = formatCount(middle("eventsPerS"));
      rows.push([name, String(events), rate, formatPercent(toFirst), p50, formatMs(middle("p99Ms"))]);
    }
  }
  return markdownTable(
    [
      "log, 32 writers, 900 B an event",
      "events a value",
      "events/s",
      "of the append file",
      "p50 ms",
      "p99 ms",
    ],
    rows,
  );
}

async function measure(candidate: Writer, events: number, options: LogCompareOptions): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "candor-log-compare-"));
  const writer = candidate.open(folder);
  const value = Buffer.alloc(events * EVENT_BYTES, "usage ");
  const latencies = recordLatencies();
  const measureFrom = performance.now() + options.warmupMs;
  const measureUntil = measureFrom + options.roundMs;
  const writeOn = async () => {
    for (let startAt = performance.now(); startAt < measureUntil; ) {
      await writer.write(value);
      const now = performance.now();
      if (now >= measureFrom && now < measureUntil) latencies.record(now - startAt);
      startAt = now;
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writeOn));
  await writer.close();
  rmSync(folder, { recursive: true });
  const [p50Ms = 0, p99Ms = 0] = latencies.percentiles([0.5, 0.99]);
  return { eventsPerS: (latencies.count() * events * 1000) / options.roundMs, p50Ms, p99Ms };
}

function openAppend(folder: string): OpenWriter {
  const log = openGroupAppend(join(folder, "append.log"));
  return {
    write: (value) => new Promise((resolve) => log.append(value, resolve)),
    close: async () => log.close(),
  };
}

function openLmdb(folder: string): OpenWriter {
  const database = open<Buffer, number>({
    path: join(folder, "log"),
    encoding: "binary",
    keyEncoding: "uint32",
  });
  let sequence = 0;
  return {
    async write(value) {
      await database.put(sequence++, value);
      // `put` resolves once committed; only `flushed` says that it is on disk.
      await database.flushed;
    },
    close: () => database.close(),
  };
}
