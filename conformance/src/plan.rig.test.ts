import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adminToken, type Collector, startCollector, writeKeys } from "@candor/bench/collector";
import { usageEvents, usageFleet } from "@candor/bench/usage-event";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REFERENCE_PLAN } from "../../packages/plan/src/rig/reference-plan.ts";
import type { Call } from "./official-client.ts";
import { getJson, type StoredEvent } from "./read-api.ts";
import { storedOf } from "./rig/stored.ts";
import { rudder, type Subject, segment } from "./rig/subjects.ts";

const dataDir = mkdtempSync(join(tmpdir(), "candor-plan-"));
let collector: Collector;
beforeAll(async () => {
  // The collector uses its default plan, plans/appsmith.yaml.
  collector = await startCollector({ dataDir });
});
afterAll(async () => {
  await collector?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const instanceId = "612460418944011a10fa5b";
const alive = { type: "track", event: "Instance Active", properties: { instanceId } } as const;
const aliveWithHost = { ...alive, properties: { hostName: "db-1", instanceId } } as const;
const executed = {
  type: "track",
  event: "execute_ACTION_TRIGGERED",
  anonymousId: "0b62ab60-02ad-4f69-a181-d9c5eb2f97fa",
  context: { app: { build: 7 } },
  properties: {
    datasource: { name: "Orders", host: "db-1" },
    instanceId,
    pluginName: "PostgreSQL",
    query: "select 1",
    timeElapsed: "8",
    username: "ada",
  },
} as const;
const queryText = {
  type: "track",
  event: "Query Text",
  properties: { instanceId, text: "select 1" },
} as const;

/**
 * The stored form of a user id. A product has to send a keyed hash, which the
 * collector then hashes once more.
 */
const PSEUDONYM = expect.stringMatching(/^[0-9a-f]{32}$/);
const newUserId = () => randomUUID().replaceAll("-", "");

/** Sends all calls through a client at once, and expects the client to report success. */
async function deliver({ open }: Subject, calls: readonly Call[]): Promise<void> {
  const client = open({ url: collector.url, writeKey: writeKeys.server });
  const sending = Promise.all(calls.map((call) => client.send(call)));
  await client.close();
  const errors = (await sending).flatMap(({ error }) => (error === undefined ? [] : [error]));
  expect({ errors, reported: client.reported }).toEqual({ errors: [], reported: [] });
}

/** The number of messages that the plan has refused so far, by event and reason. */
async function readRefused(): Promise<Record<string, number>> {
  const report = await getJson({ url: collector.url, adminToken }, "/api/reports/plan");
  const { refused } = report as { refused: { event: string; reason: string; count: number }[] };
  return Object.fromEntries(refused.map(({ event, reason, count }) => [`${event} ${reason}`, count]));
}

/** The fields of a stored event that the plan can change, and `candor`, which says what was trimmed. */
function keptOf({ event, properties, context, userId, anonymousId, candor }: StoredEvent): unknown {
  return { event, properties, context, userId, anonymousId, candor };
}

describe.each([segment, rudder])("Under the Appsmith plan $name", (subject) => {
  it("delivers what is declared without what is not; an undeclared event is refused and harms no other", async () => {
    const userId = newUserId();
    const before = await readRefused();
    // RudderStack's client sends the first event alone and the others in one batch.
    // Segment's client sends one batch.
    const calls = [alive, aliveWithHost, queryText, executed].map((call) => ({ ...call, userId }));
    await deliver(subject, calls);

    const events = await storedOf(collector, userId, 3);
    const context = { library: subject.library };
    const candor = { source: "server", planVersion: REFERENCE_PLAN.version };
    const shared = { anonymousId: undefined, context, userId: PSEUDONYM };
    expect(events.sort(byTrimmed).map(keptOf)).toEqual([
      { ...shared, event: alive.event, properties: alive.properties, candor },
      {
        ...shared,
        event: alive.event,
        properties: alive.properties,
        candor: { ...candor, trimmed: ["properties.*"] },
      },
      {
        ...shared,
        anonymousId: executed.anonymousId,
        event: executed.event,
        properties: { datasource: { name: "Orders" }, instanceId, pluginName: "PostgreSQL" },
        candor: {
          ...candor,
          trimmed: [
            "properties.datasource.*",
            "properties.*",
            "properties.timeElapsed",
            "properties.username",
            "context.*",
          ],
        },
      },
    ]);
    const refused = before["* event_not_in_plan"] ?? 0;
    expect(await readRefused()).toEqual({ "* event_not_in_plan": refused + 1 });
  });

  it("is found by an id that is no hash, though only the id's keyed hash is kept", async () => {
    const userId = `ada-${newUserId()}@example.com`;
    await deliver(subject, [{ ...alive, userId }]);

    const events = await storedOf(collector, userId, 1);
    expect(events.map(keptOf)).toEqual([
      {
        event: alive.event,
        properties: alive.properties,
        context: { library: subject.library },
        userId: expect.stringMatching(/^[0-9a-f]{32}$/),
        anonymousId: undefined,
        candor: { source: "server", planVersion: REFERENCE_PLAN.version, trimmed: ["userId"] },
      },
    ]);
  });
});

it("The benchmarks' usage events come back as they were sent: their figures are of messages that are kept whole", async () => {
  const userId = newUserId();
  const nextEvent = usageEvents(usageFleet(), 4);
  const timestamp = new Date().toISOString();
  const sent = Array.from({ length: 500 }, () => ({
    ...nextEvent(),
    userId,
    messageId: randomUUID(),
    timestamp,
  }));
  const response = await fetch(`${collector.url}/v1/batch`, {
    method: "POST",
    body: JSON.stringify({ writeKey: writeKeys.server, batch: sent }),
  });
  expect(await response.json()).toMatchObject({ success: true, accepted: 500 });

  const stored = await storedOf(collector, userId, 500);
  const byId = new Map(stored.map(({ receivedAt: _, ...event }) => [event.messageId, event]));
  expect(sent.map(({ messageId }) => byId.get(messageId))).toEqual(
    sent.map((event) => ({
      ...event,
      properties: { ...event.properties, username: PSEUDONYM },
      userId: PSEUDONYM,
      originalTimestamp: timestamp,
      timestamp: expect.any(String),
      candor: { source: "server", planVersion: REFERENCE_PLAN.version },
    })),
  );
});

/** Sorts by the number of trimmed paths, because the messages of one batch can have the same time. */
function byTrimmed(a: StoredEvent, b: StoredEvent): number {
  return (a.candor.trimmed?.length ?? 0) - (b.candor.trimmed?.length ?? 0);
}
