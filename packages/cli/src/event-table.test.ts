import { readFileSync } from "node:fs";
import { loadPlan } from "@candor/plan";
import { expect, test } from "vitest";
import { APPSMITH_PLAN } from "../../server/src/rig/in-process.ts";
import { createEventTable } from "./event-table.ts";

const PLAN = loadPlan(readFileSync(APPSMITH_PLAN, "utf8"), "appsmith.yaml");
const TIME = "2026-11-27T07:46:22.636Z";

/** Returns the cells that have a value, by their columns. */
function cellsOf(event: unknown, wanted = {}): Record<string, unknown> {
  const { columns, toRow } = createEventTable(PLAN, wanted);
  const row = toRow(event);
  expect(row.length).toBe(columns.length);
  return Object.fromEntries(
    columns.map(({ name }, at) => [name, row[at]]).filter(([, cell]) => cell !== null),
  );
}

test("each declared field is a column with its type, and what Candor adds is beside it", () => {
  const { columns } = createEventTable(PLAN);
  expect(columns).toEqual(
    expect.arrayContaining([
      { name: "source", type: "text" },
      { name: "receivedAt", type: "time" },
      { name: "properties_timeElapsed", type: "integer" },
      { name: "properties_isSuccessfulExecution", type: "boolean" },
      { name: "context_library_name", type: "text" },
      { name: "rest", type: "json" },
    ]),
  );
  expect(new Set(columns.map(({ name }) => name)).size).toBe(columns.length);
  const event = {
    type: "track",
    event: "execute_ACTION_TRIGGERED",
    receivedAt: TIME,
    integrations: {},
    properties: { timeElapsed: 12, isSuccessfulExecution: false },
    context: { library: { name: "candor" } },
    candor: { source: "server", planVersion: 3, trimmed: ["properties.*"] },
  };
  expect(cellsOf(event)).toEqual({
    type: "track",
    event: "execute_ACTION_TRIGGERED",
    receivedAt: TIME,
    properties_timeElapsed: 12,
    properties_isSuccessfulExecution: false,
    context_library_name: "candor",
    source: "server",
    planVersion: 3,
    trimmed: '["properties.*"]',
  });
});

test("what is not declared, or does not fit its column, is in the last column", () => {
  const properties = JSON.parse(
    '{"timeElapsed":1.5,"isSuccessfulExecution":"yes","__proto__":{"a":[{"b":1}]},"n":null}',
  );
  const event = { receivedAt: "yesterday", timestamp: TIME, properties, groupId: "g" };
  const { rest, ...cells } = cellsOf(event);
  expect(cells).toEqual({ timestamp: TIME });
  expect(rest).toBe(JSON.stringify({ receivedAt: "yesterday", properties, groupId: "g" }));
});

test("an export of one source or event has its columns only", () => {
  const namesOf = (wanted: object): string[] =>
    createEventTable(PLAN, wanted).columns.map(({ name }) => name);
  const ofInstaller = namesOf({ source: "installer" });
  expect(ofInstaller).toContain("properties_error");
  expect(ofInstaller).not.toContain("properties_timeElapsed");
  expect(namesOf({ event: "Instance Active" })).not.toContain("properties_error");
});
