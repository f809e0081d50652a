import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  APPSMITH_PLAN,
  answerOf,
  basic,
  eventually,
  startForTest,
  type TestCandor,
  WRITE_KEYS,
} from "../rig/in-process.ts";
import { coarsen, createPublicStats, type PublicStats } from "./public-stats.ts";
import { renderStatsBadge, renderStatsPage } from "./public-stats-page.ts";

const DAY_MS = 86_400_000;

it("no difference of two published numbers tells of fewer instances than a whole group", () => {
  const size = fc.integer({ min: 0, max: 1_000_000 });
  fc.assert(
    fc.property(size, size, fc.integer({ min: 5, max: 1000 }), (one, other, minGroup) => {
      const [a, b] = [coarsen(one, minGroup), coarsen(other, minGroup)];
      const difference = Math.abs(a - b);
      expect(difference === 0 || difference >= minGroup).toBe(true);
      expect(a <= one && one < a + minGroup).toBe(true);
    }),
  );
});

describe("a collector that publishes statistics", () => {
  const SYSTEMS = [...Array(11).fill("linux"), ...Array(4).fill("darwin")];
  let candor: TestCandor;
  const get = (path: string): Promise<Response> => fetch(candor.url + path);
  const read = async (): Promise<PublicStats> => (await (await get("/stats.json")).json()) as PublicStats;

  beforeAll(async () => {
    candor = await startForTest({ CANDOR_PLAN: APPSMITH_PLAN, CANDOR_PUBLIC_STATS: "5" });
    const batch = SYSTEMS.flatMap((os, n) =>
      [3, 2].map((daysAgo) => ({
        type: "track",
        event: "Instance Active",
        anonymousId: "a",
        timestamp: new Date(Date.now() - daysAgo * DAY_MS).toISOString(),
        properties: { instanceId: `00000000-0000-8000-8000-0000000000${10 + n}`, os, version: "2.4.0" },
      })),
    );
    const headers = { authorization: basic(WRITE_KEYS.server) };
    await fetch(`${candor.url}/v1/batch`, { method: "POST", headers, body: JSON.stringify({ batch }) });
    await eventually(
      () => candor.read("/api/reports/base"),
      (answer) => (answer as unknown as { base: PublicStats }).base.instances === SYSTEMS.length,
    );
  });
  afterAll(() => candor.close());

  it("says how many instances are active and what they run on, in whole groups, to everybody", async () => {
    const stats = await read();
    expect(stats).toMatchObject({ product: "Appsmith", minGroup: 5, instances: 15 });
    const valuesOf = (name: string) => stats.facts.find((fact) => fact.name === name)?.values;
    expect(valuesOf("os")).toEqual([{ value: "linux", instances: 10 }]);
    expect(valuesOf("version")).toEqual([{ value: "2.4.0", instances: 15 }]);
    expect(stats.facts.map(({ name }) => name)).not.toContain("environment");
    expect((await get("/stats.json")).headers.get("access-control-allow-origin")).toBe("*");
  });

  it("shows them as a page that runs no script and loads nothing, and as a badge", async () => {
    const page = await get("/stats");
    const text = await page.text();
    expect(text).toContain("At least <strong>15</strong> instances were active");
    expect(text).not.toMatch(/<script|src=|darwin/);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    const badge = await get("/stats.svg");
    expect(badge.headers.get("content-type")).toBe("image/svg+xml; charset=utf-8");
    expect(await badge.text()).toContain('aria-label="instances: 15+ active"');
  });

  it("answers the same for the whole day, whatever comes", async () => {
    const before = await read();
    const headers = { authorization: basic(WRITE_KEYS.server) };
    const timestamp = new Date(Date.now() - 2 * DAY_MS).toISOString();
    const properties = { instanceId: "00000000-0000-8000-8000-000000000099", os: "linux" };
    const body = JSON.stringify({ event: "Instance Active", anonymousId: "a", timestamp, properties });
    await fetch(`${candor.url}/v1/track`, { method: "POST", headers, body });
    await eventually(
      () => candor.read("/api/count?event=Instance%20Active"),
      (answer) => answer.count === 31,
    );
    expect(await read()).toEqual(before);
  });
});

it("publishes nothing by default", async () => {
  const candor = await startForTest();
  for (const path of ["/stats", "/stats.json", "/stats.svg"]) {
    const response = await fetch(candor.url + path);
    expect([response.status, (await answerOf(response)).code]).toEqual([404, "not_found"]);
  }
  await candor.close();
});

it("are made once a day, however many ask at once", async () => {
  let nowMs = Date.parse("2026-11-27T23:59:59Z");
  let made = 0;
  const store = {
    query: async () => {
      made += 1;
      return [];
    },
  };
  const plan = { current: () => ({ plan: { product: "Kitchen", events: [], sources: {} } }) };
  const read = createPublicStats({ store, plan, storedUntilMs: () => nowMs } as never, 20, () => nowMs);
  await Promise.all(Array.from({ length: 100 }, read));
  const ofOneDay = made;
  await read();
  expect(made).toBe(ofOneDay);
  nowMs += 1000;
  expect(await read()).toMatchObject({ from: "2026-10-31", to: "2026-11-27" });
  expect(made).toBe(2 * ofOneDay);
});

describe("few instances", () => {
  const none: PublicStats = {
    ...{ product: "<b>Kitchen</b>", from: "2026-10-31", to: "2026-11-27", minGroup: 20, instances: 0 },
    facts: [{ name: "os", values: [] }],
  };

  it("are said to be too few, and names are escaped", () => {
    const page = renderStatsPage(none, "privacy");
    expect(page).toContain("Fewer than 20 instances are active");
    expect(page).toContain("&lt;b&gt;Kitchen&lt;/b&gt; in numbers");
    expect(page).not.toContain("<table");
    expect(renderStatsBadge(none)).toContain("too few to tell");
  });
});
