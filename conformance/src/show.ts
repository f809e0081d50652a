/** Runs the two official clients against a running collector: `npm run conformance:show`. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { causeOf } from "@candor/server";
import type { Call, OfficialClient } from "./official-client.ts";
import { countEvents } from "./read-api.ts";
import { openRudderClient } from "./rudder-client.ts";
import { openSegmentClient } from "./segment-client.ts";
import { readSettings, type Settings } from "./settings.ts";

/** How long to wait until all acknowledged events can be read. */
const READABLE_WITHIN_MS = 10_000;

const clients = [
  { name: "@segment/analytics-node", open: openSegmentClient },
  { name: "@rudderstack/rudder-sdk-node", open: openRudderClient },
] as const;

/**
 * Sends a dozen events to a running collector with each of the two official clients, and asks the collector
 * how many have arrived.
 * @returns whether each client reported success for all its events and the collector has exactly that many
 */
async function show(settings: Settings): Promise<boolean> {
  await checkReady(settings.url);
  let isAllThere = true;
  for (const { name, open } of clients) {
    const userId = randomUUID().replaceAll("-", ""); // the form of a keyed hash
    const calls = callsOf(userId);
    console.log(`${name} sends ${calls.length} events to ${settings.url}`);
    const errors = await deliver(open(settings), calls);
    console.log(`  it reports: ${calls.length - errors.length} delivered, ${errors.length} failed`);
    for (const error of new Set(errors)) console.log(`    ${error}`);
    const count = await countArrived(settings, userId, calls.length - errors.length);
    console.log(`  Candor has: ${count} (GET /api/count?userId=${userId})`);
    isAllThere &&= errors.length === 0 && count === calls.length;
  }
  return isAllThere;
}

async function checkReady(url: string): Promise<void> {
  const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5000) }).catch((error) => {
    throw new Error(
      `No Candor answers at ${url} (${causeOf(error.cause ?? error)}). Start it with npm start, or set CANDOR_URL to where it is.`,
      { cause: error },
    );
  });
  await response.arrayBuffer();
  if (!response.ok) {
    throw new Error(
      `What answers at ${url} is not a Candor that can take events: GET /readyz says ${response.status}.`,
    );
  }
}

/** Sends the calls. @returns the errors as text; empty if the client reports success for all calls */
async function deliver(client: OfficialClient, calls: readonly Call[]): Promise<string[]> {
  const sending = Promise.all(calls.map((call) => client.send(call)));
  await client.close();
  const outcomes = await sending;
  return outcomes.flatMap(({ error }) => (error === undefined ? [] : [String(error)]));
}

/**
 * Waits until the collector has the expected number of events, or the time is up. Resolves to the number that
 * it has.
 */
async function countArrived(settings: Settings, userId: string, expected: number): Promise<number> {
  const giveUpAt = performance.now() + READABLE_WITHIN_MS;
  for (;;) {
    const count = await countEvents(settings, { userId });
    if (count >= expected || performance.now() > giveUpAt) return count;
    await sleep(100);
  }
}

/**
 * The events of an instance's day: heartbeats, and somebody running queries.
 * plans/appsmith.yaml declares them all.
 */
function callsOf(userId: string): Call[] {
  const track = (event: string, properties: Extract<Call, { type: "track" }>["properties"] = {}): Call => ({
    type: "track",
    userId,
    event,
    properties: { instanceId: "612460418944011a10fa5b", ...properties },
  });
  const execute = (type: string, pluginName: string, timeElapsed: number, statusCode = ""): Call =>
    track("execute_ACTION_TRIGGERED", {
      appMode: "edit",
      appName: "Customer Support 📬",
      pluginName,
      type,
      timeElapsed,
      statusCode,
      isSuccessfulExecution: !statusCode.startsWith("4"),
    });
  const isAlive = track("Instance Active");
  return [
    isAlive,
    execute("DB", "PostgreSQL", 8),
    execute("DB", "PostgreSQL", 2310),
    execute("API", "REST API", 121, "200"),
    isAlive,
    execute("API", "REST API", 94, "404"),
    execute("API", "REST API", 133, "200"),
    execute("SAAS", "Google Sheets", 640, "200"),
    isAlive,
    execute("DB", "MongoDB", 22),
    execute("JS", "JS Function", 1),
    isAlive,
  ];
}

try {
  const isAllThere = await show(readSettings(process.env));
  console.log(
    isAllThere ? "Everything has arrived." : "Not everything is there: see the lines about failures above.",
  );
  process.exitCode = isAllThere ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
