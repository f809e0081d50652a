import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Collector, type CollectorOptions, startCollector, writeKeys } from "@candor/bench/collector";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Call, ClientOptions, OfficialClient, Outcome } from "./official-client.ts";
import { oneOfEach, trackCall } from "./rig/calls.ts";
import { storedOf } from "./rig/stored.ts";
import { rudder, type Subject, segment } from "./rig/subjects.ts";
import { openRudderClient } from "./rudder-client.ts";

/**
 * A plan that keeps undeclared values, because these tests are about the wire format. plan.rig.test.ts
 * tests what a plan removes.
 */
const OBSERVE_PLAN = fileURLToPath(
  new URL("../../packages/server/fixtures/plans/observe.yaml", import.meta.url),
);
const dataDir = mkdtempSync(join(tmpdir(), "candor-conformance-"));
const options: CollectorOptions = { dataDir, env: { CANDOR_PLAN: OBSERVE_PLAN } };
let collector: Collector;
beforeAll(async () => {
  collector = await startCollector(options);
});
afterAll(async () => {
  await collector?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const plainRudder: Subject = {
  ...rudder,
  name: "@rudderstack/rudder-sdk-node without gzip",
  open: (given) => openRudderClient({ ...given, gzip: false }),
};

function open(subject: Subject, given: Partial<ClientOptions> = {}): OfficialClient {
  return subject.open({ url: collector.url, writeKey: writeKeys.server, ...given });
}

/** Checks that `count` track calls were stored: each `n` once, and each with its own messageId. */
async function expectTracks(userId: string, count: number): Promise<void> {
  const events = await storedOf(collector, userId, count);
  const numbers = events.map((event) => Number(event.properties?.n)).sort((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: count }, (_, n) => n));
  expect(new Set(events.map((event) => event.messageId)).size).toBe(count);
}

const failures = (outcomes: readonly Outcome[]) => outcomes.filter(({ error }) => error !== undefined);
const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

/** The envelope that is expected for a call. */
function envelopeOf(call: Call, { library }: Subject): unknown {
  const { timestamp: _, context, ...said } = call;
  // RudderStack's client also puts the traits of an identify call into the context. Segment's client puts the
  // category of a page call, but not of a screen call, into the properties.
  const traits = call.type === "identify" && library === rudder.library ? { traits: call.traits } : {};
  const isSegmentPage = call.type === "page" && library === segment.library;
  return {
    ...said,
    ...(isSegmentPage ? { properties: { ...call.properties, category: call.category } } : {}),
    context: { ...context, ...traits, library },
    integrations: {},
    messageId: expect.stringMatching(/^(node-next-\d+-)?[0-9a-f-]{36}$/),
    originalTimestamp: isoTime,
    receivedAt: isoTime,
    sentAt: isoTime,
    timestamp: isoTime,
    // The plan does not declare the event and its context, but keeps both.
    candor: { source: "server", planVersion: 1, trimmed: ["*", "context.*"] },
  };
}

describe.each([segment, rudder, plainRudder])("$name", (subject) => {
  it("delivers every kind of call with every field as it was said", async () => {
    const userId = randomUUID();
    const calls = oneOfEach(userId);
    const client = open(subject);
    const before = Date.now();
    const sending = Promise.all(calls.map((call) => client.send(call)));
    await client.close();
    const outcomes = await sending;
    const after = Date.now();

    expect({ failures: failures(outcomes), reported: client.reported }).toEqual({
      failures: [],
      reported: [],
    });
    const events = await storedOf(collector, userId, calls.length);
    const inOrder = calls.map(({ type }) => events.find((event) => event.type === type));
    expect(inOrder).toEqual(calls.map((call) => envelopeOf(call, subject)));
    expect(events).toHaveLength(calls.length);
    // toEqual ignores the order of keys.
    const track = calls[0];
    expect(JSON.stringify(inOrder[0]?.properties)).toBe(
      JSON.stringify(track?.type === "track" && track.properties),
    );
    for (const { originalTimestamp = "", timestamp, receivedAt } of events) {
      expect(Date.parse(originalTimestamp)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(originalTimestamp)).toBeLessThanOrEqual(after);
      expect(timestamp <= receivedAt).toBe(true);
    }
  });

  it("delivers hundreds of tracks in its own batches, each once", async () => {
    const userId = randomUUID();
    const client = open(subject);
    const sending = Promise.all(Array.from({ length: 600 }, (_, n) => client.send(trackCall(userId, n))));
    await client.close();

    expect({ failures: failures(await sending), reported: client.reported }).toEqual({
      failures: [],
      reported: [],
    });
    await expectTracks(userId, 600);
  });

  it("keeps the own time of an event that is told late", async () => {
    const userId = randomUUID();
    const happenedAt = new Date(Date.now() - 3 * 3600_000);
    const client = open(subject);
    const sending = client.send({ ...trackCall(userId, 0), timestamp: happenedAt });
    await client.close();

    expect((await sending).error).toBeUndefined();
    const [event] = await storedOf(collector, userId, 1);
    expect(event?.originalTimestamp).toBe(happenedAt.toISOString());
    // The stored time is by the collector's clock: later than the client's time by
    // the duration of the request.
    const shiftMs = Date.parse(event?.timestamp ?? "") - happenedAt.getTime();
    expect(shiftMs).toBe(Date.parse(event?.receivedAt ?? "") - Date.parse(event?.sentAt ?? ""));
    expect(shiftMs).toBeLessThan(2000);
  });
});

describe("A wrong write key", () => {
  it("is told by Segment's client as an error of each call, and nothing is tried again", async () => {
    const userId = randomUUID();
    const client = open(segment, { writeKey: "not-a-key" });
    const sending = Promise.all([0, 1, 2].map((n) => client.send(trackCall(userId, n))));
    await client.close();

    // Segment's client reports the status of the answer, but not the answer's message.
    expect(await sending).toEqual(
      Array.from({ length: 3 }, () => ({ error: new Error("[401] Unauthorized") })),
    );
    expect(client.reported).toEqual(
      Array.from({ length: 3 }, () =>
        expect.objectContaining({ code: "delivery_failure", reason: new Error("[401] Unauthorized") }),
      ),
    );
    expect({ retries: client.retryCount(), stored: await storedOf(collector, userId, 0) }).toEqual({
      retries: 0,
      stored: [],
    });
  });

  it("is told by RudderStack's client with Candor's own sentence, and nothing is tried again", async () => {
    const userId = randomUUID();
    const client = open(rudder, { writeKey: "not-a-key" });
    const sending = Promise.all([0, 1, 2].map((n) => client.send(trackCall(userId, n))));
    await client.close();

    const refusal = expect.objectContaining({
      response: expect.objectContaining({
        status: 401,
        data: expect.objectContaining({
          success: false,
          code: "write_key_unknown",
          message: expect.stringMatching(/write key.+/i),
        }),
      }),
    });
    expect(await sending).toEqual(Array.from({ length: 3 }, () => ({ error: refusal })));
    // One error for each request: the first event is sent alone, the other two are sent by the flush.
    expect(client.reported).toEqual([refusal, refusal]);
    expect({ retries: client.retryCount(), stored: await storedOf(collector, userId, 0) }).toEqual({
      retries: 0,
      stored: [],
    });
  });
});

describe("A restart of Candor", () => {
  it.each([
    // Segment's default of 10 retries, 1-60 s apart (publisher.ts: maxRetries ?? 10,
    // backoff), outlasts any restart.
    { subject: segment, retries: undefined },
    // RudderStack's default of 3 retries, 200, 400 and 800 ms apart (index.js: retryCount || 3, axios-retry's
    // exponentialDelay), ends after less than 2 s, but a restart takes longer. An event that the client gives
    // up on is lost, and only the event's callback receives the error.
    { subject: rudder, retries: 10 },
    { subject: plainRudder, retries: 10 },
  ])(
    "in the middle of the calls of $subject.name loses none and doubles none",
    async ({ subject, retries }) => {
      const userId = randomUUID();
      const client = open(subject, retries === undefined ? {} : { retries });
      const sending: Promise<Outcome>[] = [];
      let restart: Promise<number | null> | undefined;
      for (let n = 0; n < 400; n++) {
        sending.push(client.send(trackCall(userId, n)));
        await sleep(5);
        if (n === 100) restart = restartCollector();
      }
      expect(await restart).toBe(0);
      await client.close();

      expect({ failures: failures(await Promise.all(sending)), reported: client.reported }).toEqual({
        failures: [],
        reported: [],
      });
      expect(client.retryCount()).toBeGreaterThan(0);
      await expectTracks(userId, 400);
    },
  );
});

/**
 * Restarts the collector as an operator does: Ctrl-C, then a start on the same port and folder. Resolves with
 * the exit code of the stopped collector.
 */
async function restartCollector(): Promise<number | null> {
  const exitCode = await collector.stop();
  collector = await startCollector({ ...options, port: collector.port });
  return exitCode;
}
