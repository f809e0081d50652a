import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REFERENCE_PLAN } from "../../../plan/src/rig/reference-plan.ts";
import {
  APPSMITH_PLAN,
  answerOf,
  basic,
  eventually,
  OBSERVE_PLAN,
  startForTest,
  type TestCandor,
  WRITE_KEYS,
} from "../rig/in-process.ts";

const folder = mkdtempSync(join(tmpdir(), "candor-line-"));
const CLIENT = { authorization: basic(WRITE_KEYS.client) };
const PAGE_LOAD = {
  type: "track",
  event: "APPLICATIONS_PAGE_LOAD",
  anonymousId: "0b62ab60-02ad-4f69-a181-d9c5eb2f97fa",
};
const AT_MS = Date.parse("2026-11-26T00:00:00.000Z");
let candor: TestCandor;

beforeAll(async () => {
  candor = await startForTest({ CANDOR_PLAN: APPSMITH_PLAN }, { now: () => AT_MS });
});
afterAll(async () => {
  await candor.close();
  rmSync(folder, { recursive: true });
});

/** Returns the kept events that match `query`, newest first, once there are at least `count` of them. */
async function kept(query: string, count: number): Promise<Record<string, unknown>[]> {
  const { events = [] } = await eventually(
    () => candor.read(`/api/events?limit=1000&${query}`),
    ({ events = [] }) => events.length >= count,
  );
  return events;
}

describe("a field that a batch shares", () => {
  const LIMIT_BYTES = 32 * 1024;
  const MANY_KEYS = Object.fromEntries(Array.from({ length: 60_000 }, (_, n) => [`k${n.toString(36)}`, 1]));

  it.each(["context", "integrations"])("drops every message if it is too large: %s", async (field) => {
    const batch = Array.from({ length: 300 }, (_, n) => ({ ...PAGE_LOAD, messageId: `${field}-${n}` }));
    const answer = await answerOf(await candor.post("/v1/batch", { [field]: MANY_KEYS, batch }, CLIENT));
    expect(answer.dropped?.map(({ reason }) => reason)).toEqual(batch.map(() => "event_too_large"));
  });

  it("counts towards each message's size: messages beyond 8 MiB in total are dropped", async () => {
    const context = { filler: "x".repeat(LIMIT_BYTES - 1000) };
    const batch = Array.from({ length: 300 }, (_, n) => ({ ...PAGE_LOAD, messageId: `filled-${n}` }));
    const answer = await answerOf(await candor.post("/v1/batch", { context, batch }, CLIENT));
    const taken = Math.floor((8 * 1024 * 1024) / JSON.stringify(context).length);
    expect(answer.accepted).toBe(taken);
    expect(answer.dropped?.[0]).toEqual({
      index: taken,
      messageId: `filled-${taken}`,
      reason: "batch_too_large",
    });
  });

  it("is measured as the collector serialises it, however short the client's JSON is", async () => {
    const list = Array.from({ length: 6400 }, () => "1e15").join(",");
    const body = JSON.stringify({ ...PAGE_LOAD, properties: {} }).replace("{}", `{"list":[${list}]}`);
    expect(body.length).toBeLessThan(LIMIT_BYTES);
    expect(await answerOf(await candor.post("/v1/track", body, CLIENT))).toMatchObject({
      dropped: [{ reason: "event_too_large" }],
    });
  });

  it("is not changed for the next message by checking one", async () => {
    const context = { ip: "203.0.113.77", locale: "en-US", secret: "x" };
    const batch = ["shared-1", "shared-2"].map((messageId) => ({ ...PAGE_LOAD, messageId }));
    await candor.post("/v1/batch", { context, batch }, CLIENT);
    for (const { messageId } of batch) {
      const [event] = await kept(`messageId=${messageId}`, 1);
      expect(event).toMatchObject({ context: { ip: "203.0.113.0", locale: "en-US" } });
    }
  });
});

it("keeps the order of messages sent within a millisecond, in a batch and across requests", async () => {
  const ids = ["order-9", "order-1", "order-5", "order-3"];
  const batch = ids.slice(0, 3).map((messageId) => ({ ...PAGE_LOAD, messageId }));
  await candor.post("/v1/batch", { batch }, CLIENT);
  await candor.post("/v1/track", { ...PAGE_LOAD, messageId: ids[3] }, CLIENT);
  await kept(`messageId=${ids[3]}`, 1);
  const events = await kept("event=APPLICATIONS_PAGE_LOAD", ids.length);
  const inOrder = events.map(({ messageId }) => messageId).filter((id) => ids.some((sent) => sent === id));
  expect(inOrder).toEqual(ids.toReversed());
});

describe("a browser that asks not to be tracked", () => {
  const pixel = `/v1/pixel/track?data=${Buffer.from(JSON.stringify({ ...PAGE_LOAD, messageId: "gpc-pixel", writeKey: WRITE_KEYS.client })).toString("base64url")}`;

  it.each([{ "sec-gpc": "1" }, { dnt: "1" }])("sends no events that need a Yes: %j", async (signal) => {
    const answer = await answerOf(await candor.post("/v1/track", PAGE_LOAD, { ...CLIENT, ...signal }));
    expect(answer).toMatchObject({ success: true, dropped: [{ reason: "browser_signal" }] });
  });

  it.each([{ "sec-gpc": "0" }, { "sec-gpc": "true" }, { dnt: "0" }, { dnt: "null" }])(
    "is not one that sends %j",
    async (signal) => {
      const answer = await answerOf(await candor.post("/v1/track", PAGE_LOAD, { ...CLIENT, ...signal }));
      expect(answer).toEqual({ success: true });
    },
  );

  it("sends no such events if only its messages carry the key", async () => {
    const batch = [{ ...PAGE_LOAD, writeKey: WRITE_KEYS.client }];
    const headers = { authorization: "", dnt: "1" };
    expect(await answerOf(await candor.post("/v1/batch", { batch }, headers))).toMatchObject({
      dropped: [{ reason: "browser_signal" }],
    });
  });

  it("sends no such events through the pixel either", async () => {
    await fetch(candor.url + pixel, { headers: { "sec-gpc": "1" } });
    await fetch(candor.url + pixel.replace("track", "page"));
    const metrics = await (await fetch(`${candor.url}/metrics`)).text();
    expect(metrics).toMatch(/candor_events_dropped_total\{reason="browser_signal"\} 4/);
  });

  it("is not a server: a server's header does not speak for people, and the notice covers its events", async () => {
    const event = {
      type: "track",
      event: "Instance Active",
      anonymousId: PAGE_LOAD.anonymousId,
      properties: { instanceId: PAGE_LOAD.anonymousId, boot: "5b0e7c1f94ad2836" },
    };
    expect(await answerOf(await candor.post("/v1/track", event, { dnt: "1" }))).toEqual({ success: true });
  });
});

it("records an unreadable time, the sender's plan version, and how many events it skipped", async () => {
  const sent = {
    ...PAGE_LOAD,
    messageId: "times-1",
    timestamp: "2026-02-30T00:00:00Z",
    candor: { planVersion: 1, skipped: 12 },
  };
  await candor.post("/v1/batch", { batch: [sent], sentAt: "soon" }, CLIENT);
  const [event] = await kept("messageId=times-1", 1);
  expect(event).toMatchObject({
    timestamp: "2026-11-26T00:00:00.000Z",
    candor: {
      planVersion: REFERENCE_PLAN.version,
      sentPlanVersion: 1,
      skipped: 12,
      trimmed: ["sentAt", "timestamp"],
    },
  });
  expect(event).not.toHaveProperty("originalTimestamp");
});

describe("the library that Segment's API fills in", () => {
  it("is in envelopes if the plan declares it or the source is in observe mode", async () => {
    await candor.post("/v1/track", { ...PAGE_LOAD, messageId: "library-1" }, CLIENT);
    const [event] = await kept("messageId=library-1", 1);
    expect(event).toMatchObject({ context: { library: { name: "unknown", version: "unknown" } } });
  });

  it("is not filled in if the plan does not declare it, and so is not reported as undeclared", async () => {
    const file = join(folder, "plan.yaml");
    writeFileSync(file, readFileSync(OBSERVE_PLAN, "utf8").replace("mode: observe", "mode: enforce"));
    const other = await startForTest({ CANDOR_PLAN: file });
    expect(
      await answerOf(await other.post("/v1/track", { type: "track", event: "Declared", userId: "u" })),
    ).toEqual({ success: true });
    const metrics = await (await fetch(`${other.url}/metrics`)).text();
    await other.close();
    expect(metrics).toContain("candor_plan_findings_total");
    expect(metrics).not.toContain('reason="undeclared"');
  });
});

it.each([90_071_992_547_409_92, "90071992547409931", 7])(
  "an id is kept exactly as it was sent, or not at all: %j",
  async (userId) => {
    const event = { ...PAGE_LOAD, userId, messageId: `id-${String(userId)}` };
    const answer = await answerOf(await candor.post("/v1/track", event, CLIENT));
    if (typeof userId === "number" && !Number.isSafeInteger(userId))
      expect(answer.dropped).toMatchObject([{ reason: "number_out_of_range" }]);
    else expect(answer).toEqual({ success: true });
  },
);
