import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { APPSMITH_PLAN, eventually, startForTest, type TestCandor } from "../rig/in-process.ts";
import type { InstancesReport } from "./instances-report.ts";

const HOUR_MS = 3600_000;
const BEGAN_MS = Date.parse("2026-06-01T00:00:00.000Z");
const FOLDER = "6f0d2f6c-3c1e-4f6e-9a55-2f1c7b1f0a3d";
const OTHER = "0b9c1c5e-8a1d-4a53-8f0e-5d6c2c1b7e11";
const [A, B, C] = ["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc"] as const;

let candor: TestCandor;
let clockMs = BEGAN_MS;
let sent = 0;

beforeAll(async () => {
  candor = await startForTest({}, { now: () => clockMs });
});
afterAll(() => candor.close());
beforeEach(() => {
  clockMs += 60 * 24 * HOUR_MS; // keeps the last test's events out of this test's reports
});

/**
 * An event, by default a heartbeat, whose time is `hours` hours after the collector's time at the call of
 * `send`. All events of one call are received together, 30 hours after that time.
 */
interface Sign {
  readonly instanceId?: string;
  readonly boot?: unknown;
  readonly hours: number;
  readonly event?: string;
  readonly source?: "server" | "client";
}

async function send(signs: readonly Sign[]): Promise<void> {
  const beganMs = clockMs;
  const batch = signs.map(
    ({ instanceId = FOLDER, boot, hours, event = "Instance Active", source = "server" }) => ({
      type: "track",
      event,
      anonymousId: instanceId,
      properties: { instanceId, boot },
      originalTimestamp: new Date(beganMs + hours * HOUR_MS).toISOString(),
      writeKey: source === "server" ? "key-s" : "key-c",
    }),
  );
  clockMs = beganMs + 30 * HOUR_MS;
  await candor.post("/v1/batch", { batch });
  sent += batch.length;
  await eventually(
    () => candor.read("/api/count"),
    ({ count }) => count === sent,
  );
}

async function report(query = ""): Promise<InstancesReport> {
  const response = await fetch(`${candor.url}/api/reports/instances${query}`, {
    headers: { authorization: "Bearer token-a" },
  });
  const answer: InstancesReport = JSON.parse(await response.text());
  return answer;
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const clonedIds = async (): Promise<string[]> => (await report()).cloned.map(({ instanceId }) => instanceId);

describe("the report of instances", () => {
  it("finds a copied folder: two of its starts send at the same time", async () => {
    const beganMs = clockMs;
    await send([
      { boot: A, hours: 0 },
      { boot: B, hours: 2 },
      { boot: A, hours: 6 },
      { boot: B, hours: 8 },
      { instanceId: OTHER, boot: C, hours: 1 },
      { instanceId: OTHER, boot: C, hours: 7 },
    ]);
    expect(await report()).toMatchObject({
      from: day(clockMs - 27 * 24 * HOUR_MS),
      to: day(clockMs),
      cloned: [
        {
          instanceId: FOLDER,
          boots: 2,
          firstSeen: new Date(beganMs).toISOString(),
          lastSeen: new Date(beganMs + 8 * HOUR_MS).toISOString(),
        },
      ],
    });
  });

  it.each<[what: string, signs: readonly Sign[], isCloned: boolean]>([
    [
      "restarts: one start follows another",
      [
        { boot: A, hours: 0 },
        { boot: A, hours: 6 },
        { boot: B, hours: 6.1 },
        { boot: C, hours: 6.2 },
        { boot: C, hours: 12 },
      ],
      false,
    ],
    [
      "replicas on one folder, which share its start",
      [
        { boot: A, hours: 0 },
        { boot: A, hours: 0 },
        { boot: A, hours: 6 },
        { boot: A, hours: 6 },
      ],
      false,
    ],
    [
      "restarts whose heartbeats arrive out of order",
      [
        { boot: B, hours: 12 },
        { boot: A, hours: 6 },
        { boot: B, hours: 7 },
        { boot: A, hours: 0 },
      ],
      false,
    ],
    [
      "a copy whose heartbeats arrive one start after the other",
      [
        { boot: B, hours: 8 },
        { boot: B, hours: 2 },
        { boot: A, hours: 6 },
        { boot: A, hours: 0 },
      ],
      true,
    ],
    [
      "a copy that was seen only once, between two heartbeats of the original",
      [
        { boot: A, hours: 0 },
        { boot: B, hours: 3 },
        { boot: A, hours: 6 },
      ],
      true,
    ],
    [
      "a copy of an original that was restarted meanwhile",
      [
        { boot: A, hours: 0 },
        { boot: A, hours: 6 },
        { boot: C, hours: 7 },
        { boot: B, hours: 8 },
        { boot: C, hours: 13 },
      ],
      true,
    ],
    [
      "two instances that each start once",
      [
        { boot: A, hours: 0 },
        { instanceId: OTHER, boot: B, hours: 3 },
        { boot: A, hours: 6 },
        { instanceId: OTHER, boot: B, hours: 9 },
      ],
      false,
    ],
    [
      "an SDK without boot, a malformed boot, other events, and another source",
      [
        { boot: A, hours: 0 },
        { hours: 1 },
        { boot: "", hours: 1 },
        { boot: 7, hours: 2 },
        { boot: "B".repeat(16), hours: 2 },
        { boot: B, hours: 3, event: "Installed" },
        { boot: C, hours: 3, source: "client" },
        { boot: A, hours: 6 },
        { hours: 7 },
      ],
      false,
    ],
  ])("tells %s", async (_what, signs, isCloned) => {
    await send(signs);
    expect(await clonedIds()).toEqual(isCloned ? [FOLDER] : []);
  });

  it("covers only the requested days", async () => {
    const beganMs = clockMs;
    await send([
      { boot: A, hours: 0 },
      { boot: B, hours: 3 },
      { boot: A, hours: 29 },
    ]);
    const [first, second] = [day(beganMs), day(beganMs + 24 * HOUR_MS)];
    const count = async (query: string): Promise<number> => (await report(query)).cloned.length;
    expect(await count(`?from=${first}&to=${second}`)).toBe(1);
    expect(await count(`?from=${first}&to=${first}`)).toBe(0);
    expect(await count(`?from=${second}&to=${second}`)).toBe(0);
    const refused = await fetch(`${candor.url}/api/reports/instances?limit=1`, {
      headers: { authorization: "Bearer token-a" },
    });
    expect(refused.status).toBe(400);
  });
});

describe("the report of instances under a plan with columns for ids and boots", () => {
  it("finds a copied folder too", async () => {
    const planned = await startForTest({ CANDOR_PLAN: APPSMITH_PLAN });
    const batch = [A, B, A].map((boot, n) => ({
      type: "track",
      event: "Instance Active",
      anonymousId: FOLDER,
      properties: { instanceId: FOLDER, boot },
      originalTimestamp: new Date(Date.now() - (7 - n) * HOUR_MS).toISOString(),
    }));
    await planned.post("/v1/batch", { batch });
    const ask = async (): Promise<InstancesReport> => {
      const headers = { authorization: "Bearer token-a" };
      return JSON.parse(await (await fetch(`${planned.url}/api/reports/instances`, { headers })).text());
    };
    const { cloned } = await eventually(ask, (answer) => answer.cloned?.length === 1);
    expect(cloned).toEqual([expect.objectContaining({ instanceId: FOLDER, boots: 2 })]);
    await planned.close();
  });
});
