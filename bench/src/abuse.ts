/** The benchmark's `abuse` part: what each hostile request costs, and how it affects good requests. */
import { setTimeout as sleep } from "node:timers/promises";
import { abuseCases } from "./abuse-cases.ts";
import { postRaw, type RawAnswer } from "./abuse-client.ts";
import { type Collector, writeKeys } from "./collector.ts";
import { residentBytes } from "./processes.ts";
import { slowConnections } from "./slow-connections.ts";
import { formatMb, formatMs, markdownTable } from "./table.ts";
import { startTrickle, type TrickleFigures } from "./trickle.ts";

const SAMPLE_EVERY_MS = 20;
const REST_MS = 2000;
const SLOW_CONNECTIONS = 50;
const SLOW_FOR_MS = 30_000;

/**
 * Runs each case, and then the slow connections, while well-formed single events are sent and timed. Returns
 * a table with a row for each.
 */
export async function abuseTable(collector: Collector): Promise<string> {
  const rows: string[][] = [];
  for (const abuse of abuseCases()) {
    const bytesToSend = await abuse.prepare();
    rows.push(
      await watch(collector, abuse.name, async () =>
        describe(await postRaw(collector.url, bytesToSend, abuse)),
      ),
    );
  }
  const slow = `${SLOW_CONNECTIONS} slow connections, ${SLOW_FOR_MS / 1000} s`;
  rows.push(await watch(collector, slow, () => closedSlow(collector)));
  return markdownTable(
    ["abuse", "answer", "after ms", "memory above idle", "good requests", "slowest good"],
    rows,
  );
}

type Outcome = { readonly answer: string; readonly afterMs: number };

async function watch(collector: Collector, name: string, act: () => Promise<Outcome>): Promise<string[]> {
  await sleep(REST_MS);
  const trickle = await startTrickle(collector.url, writeKeys.server);
  const memory = sampleMemory(collector);
  await sleep(500);
  const idleBytes = memory.peak();
  const outcome = await act();
  // Memory use can peak a moment after the answer.
  await sleep(500);
  const aboveIdle = Math.max(0, memory.stop() - idleBytes);
  const good = await trickle.stop();
  const died = collector.isRunning() ? "" : " (the collector died)";
  return [
    name,
    outcome.answer + died,
    formatMs(outcome.afterMs),
    formatMb(aboveIdle),
    describeGood(good),
    `${formatMs(good.maxMs)} ms`,
  ];
}

/**
 * Records the peak of the collector's resident memory, without the engine's, which varies with its merges.
 */
function sampleMemory(collector: Collector): { peak(): number; stop(): number } {
  const pids = collector.serverPids();
  let peak = 0;
  const sample = () => {
    peak = Math.max(
      peak,
      pids.reduce((sum, pid) => sum + residentBytes(pid), 0),
    );
  };
  const timer = setInterval(sample, SAMPLE_EVERY_MS);
  return {
    peak: () => peak,
    stop() {
      clearInterval(timer);
      sample();
      return peak;
    },
  };
}

function describe({ status, afterMs, closed }: RawAnswer): Outcome {
  return { answer: status === null ? `no answer, ${closed}` : String(status), afterMs };
}

async function closedSlow(collector: Collector): Promise<Outcome> {
  const { closed, firstMs, lastMs } = await slowConnections(collector.url, SLOW_CONNECTIONS, SLOW_FOR_MS);
  const when = closed === 0 ? "" : `, the first after ${(firstMs / 1000).toFixed(1)} s`;
  return { answer: `${closed} of ${SLOW_CONNECTIONS} closed${when}`, afterMs: lastMs };
}

function describeGood({ answered, failed }: TrickleFigures): string {
  return failed === 0 ? `${answered} answered` : `${answered} answered, ${failed} failed`;
}
