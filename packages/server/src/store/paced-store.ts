/** Makes the queries of reports rest while the collector is busy receiving. */
import { setTimeout as sleep } from "node:timers/promises";
import { Semaphore } from "@candor/envelope/concurrency";
import type { Store } from "./client.ts";
import { IDLE_ENOUGH, toRestMs } from "./receiving-first.ts";

const LOOK_EVERY_MS = 250;
/** The longest rest after a query, as a multiple of the time that the query took. */
const MAX_REST = 2;
/** More than the queries of the reports that a maker has open. Further ones do not wait here. */
const MAX_WAITING = 256;

/** Measures how busy this process's event loop is. */
export interface LoadMeter {
  /** The share of the last quarter of a second in which the event loop was busy, 0 to 1. */
  utilization(): number;
  close(): void;
}

/** Starts measuring. Its timer does not keep the process alive. */
export function createLoadMeter(): LoadMeter {
  let last = performance.eventLoopUtilization();
  let utilization = 0;
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    utilization = performance.eventLoopUtilization(now, last).utilization;
    last = now;
  }, LOOK_EVERY_MS).unref();
  return { utilization: () => utilization, close: () => clearInterval(timer) };
}

/**
 * Returns the same store, but while the event loop is busy more than half of the time, its queries run one after
 * another and rest after each, up to twice as long as it took. Receiving has priority: on two cores, reports that
 * ran without rest took four in ten events from it. The answer of a query does not wait for the rest.
 * @param rest waits for a number of milliseconds
 */
export function paceQueries(
  store: Store,
  { utilization }: Pick<LoadMeter, "utilization">,
  rest: (ms: number) => Promise<unknown> = (ms) => sleep(ms, undefined, { ref: false }),
): Store {
  const single = new Semaphore({ permits: 1, maxWaiting: MAX_WAITING });
  return {
    ...store,
    query: (...asked) => {
      if (utilization() <= IDLE_ENOUGH) return store.query(...asked);
      return new Promise((resolve, reject) => {
        const run = async (): Promise<void> => {
          const startedMs = performance.now();
          await store.query(...asked).then(resolve, reject);
          await rest(toRestMs(performance.now() - startedMs, utilization(), MAX_REST));
        };
        if (single.run(run) === undefined) store.query(...asked).then(resolve, reject);
      });
    },
  };
}
