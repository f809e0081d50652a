import type { CollectorFacts, PlaceFacts } from "./facts.ts";
import { type Check, fail, ok, warn } from "./verdict.ts";

/** Rows are in the store a second after they came; older ones mean that it lags or is away. */
const MAX_LAG_S = 60;

/** The store: as the running collector sees it, else as its servers answer. */
export function checkStore({ listening, servers, usesServer, disk }: PlaceFacts): Check {
  if (listening.answer.kind === "collector") return checkRunning(listening.answer);
  if (!usesServer) {
    const waiting = (disk?.logBytes ?? 0) > 0 ? "; what waits in the log is moved into it then" : "";
    return ok("store", `Embedded: it is opened at the start${waiting}.`);
  }
  const away = servers.filter(({ fault }) => fault !== undefined);
  if (away.length === 0)
    return ok("store", `ClickHouse answers at ${servers.map(({ url }) => url).join(", ")}.`);
  const faults = away.map(({ url, fault }) => `${url} (${fault})`).join(", ");
  return fail(
    "store",
    `ClickHouse does not answer at ${faults}. Start it, or correct CANDOR_CLICKHOUSE_URL.`,
  );
}

function checkRunning({ metrics }: CollectorFacts): Check {
  const read = (name: string): number => metrics.get(name) ?? 0;
  const rows = read("candor_log_pending_rows");
  const oldestS = Math.round(read("candor_log_oldest_seconds"));
  const restarts = read("candor_engine_restarts");
  const waiting = `rows that wait in the log: ${rows}${rows > 0 ? `, the oldest for ${oldestS} s` : ""}`;
  if (read("candor_store_up") !== 1) {
    return fail(
      "store",
      `The store takes no rows; ${waiting}. Messages are still accepted. See that ClickHouse runs; the collector's own output says what it answers.`,
    );
  }
  if (restarts > 0) {
    return warn(
      "store",
      `The embedded store had to be started again (${restarts} times since the collector's start); ${waiting}. See the collector's own output, and whether the system ran out of memory.`,
    );
  }
  if (oldestS > MAX_LAG_S)
    return warn("store", `The store lags; ${waiting}. Give it more processors or a faster disk.`);
  return ok("store", `The store takes rows; ${waiting}.`);
}
