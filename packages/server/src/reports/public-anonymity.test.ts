import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEngine } from "@candor/engine";
import { loadPlan, type MeasuredAnonymity } from "@candor/plan";
import { expect, it } from "vitest";
import { CandorError } from "../errors.ts";
import { APPSMITH_PLAN, eventually, startForTest } from "../rig/in-process.ts";
import { openStore } from "../store/client.ts";
import type { FieldAnonymity } from "./anonymity-report.ts";
import { openPublicAnonymity, toPublic } from "./public-anonymity.ts";

const PLAN = loadPlan(readFileSync(APPSMITH_PLAN, "utf8"), "appsmith.yaml");
const WHEN = { day: "2026-11-20", days: 28 };

function field(event: string, name: string, isIdentifying: boolean): FieldAnonymity {
  const counts = { values: 9, instances: 99, smallestGroup: 1, singledOut: 9, singledOutShare: 0.1 };
  return { event, name, ...counts, entropyBits: 1, isIdentifying };
}
const USE = "execute_ACTION_TRIGGERED";
const FIELDS = [
  field(USE, "properties.appName", true),
  field("Instance Active", "properties.appName", false),
  field("Instance Active", "properties.os", false),
  field("*", "country", true),
  field("*", "context.ip", true),
  field(USE, "properties.ada@example\\.org", true),
];

it("says the names of declared fields only, each once, and rounds the number of instances down", () => {
  expect(toPublic({ instances: 812, fields: FIELDS }, PLAN, WHEN)).toEqual({
    ...WHEN,
    minGroup: 20,
    instances: 800,
    fields: 5,
    identifying: ["context.ip", "country", "properties.appName"],
    undeclared: 1,
  });
});

it("has no numbers about fewer than 20 instances", () => {
  expect(toPublic({ instances: 19, fields: FIELDS }, PLAN, WHEN)).toEqual({
    ...{ ...WHEN, minGroup: 20, instances: 0, fields: 0, identifying: [], undeclared: 0 },
  });
});

it("measures fewer days if many are too much, and keeps the last measurement when a night fails", async () => {
  let nowMs = new Date(2026, 10, 20, 2).getTime();
  let look = (): void => {};
  let most = 7;
  const faults: unknown[] = [];
  const rows: unknown[] = [];
  const store = {
    query: async (sql: string, { from, to }: { readonly from?: string; readonly to?: string }) => {
      if (from === undefined || to === undefined) return [];
      const days = 1 + (Date.parse(to) - Date.parse(from)) / 86_400_000;
      if (days > most) throw new CandorError("report_too_large", { seconds: "20" });
      return sql.startsWith("SELECT uniqExact(iid)") ? [{ instances: 45 }] : [];
    },
    insertRows: async (table: string, inserted: object[]) => rows.push(table, ...inserted),
  };
  const anonymity = openPublicAnonymity({
    ...{ store: store as never, plan: { current: () => ({ plan: PLAN }) }, storedUntilMs: () => nowMs },
    now: () => nowMs,
    onFault: (error) => faults.push(error),
    every: (_ms, run) => {
      look = run;
      return () => {};
    },
  });
  expect(anonymity.last()).toBeUndefined();
  const nightAfter = async (hours: number): Promise<MeasuredAnonymity | undefined> => {
    nowMs += hours * 3_600_000;
    look();
    await new Promise((resolve) => setTimeout(resolve, 20));
    return anonymity.last();
  };
  const day = new Date(nowMs + 7_200_000).toISOString().slice(0, 10);
  const first = { day, days: 7, minGroup: 20, instances: 40, fields: 0, identifying: [], undeclared: 0 };
  expect(await nightAfter(2)).toEqual(first);
  expect(rows).toEqual(["anonymity", { atMs: nowMs, measured: JSON.stringify(first) }]);
  most = 0;
  expect(await nightAfter(24)).toEqual(first);
  expect(faults).toMatchObject([{ code: "report_too_large" }]);
  anonymity.close();
});

it("is on the public page once it was measured, also after a restart, and not before", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "candor-anonymity-"));
  const settings = { CANDOR_DATA_DIR: dataDir, CANDOR_PLAN: APPSMITH_PLAN };
  const before = await startForTest(settings);
  await before.read("/api/count"); // until the store has its tables
  expect(await (await fetch(`${before.url}/privacy`)).text()).not.toContain("How anonymous it is");
  await before.close();

  const engine = await startEngine({ dataDir: join(dataDir, "store") });
  await engine.ready();
  const store = openStore({ socketPath: engine.socketPath });
  const measured = toPublic({ instances: 812, fields: FIELDS }, PLAN, WHEN);
  const older = { ...measured, day: "2026-11-19" };
  for (const [atMs, one] of [measured, older].entries())
    await store.insertRows("anonymity", [{ atMs: 2 - atMs, measured: JSON.stringify(one) }]);
  await store.close();
  await engine.close();

  const after = await startForTest(settings);
  const page = await eventually(
    async () => (await fetch(`${after.url}/privacy`)).text(),
    (text) => text.includes("How anonymous it is"),
  );
  const text = page.replace(/<[^>]*>/g, "");
  expect(text).toContain(
    "Measured on 2026-11-20 over at least 800 instances: of 5 stored fields, 4 have values that single out a tenth or more of their instances: context.ip, country, properties.appName, and 1 that the plan does not declare.",
  );
  expect(text).not.toContain("ada@example");
  await after.close();
  rmSync(dataDir, { recursive: true });
});
