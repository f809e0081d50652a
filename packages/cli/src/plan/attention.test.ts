import { fileURLToPath } from "node:url";
import type { Field, Plan } from "@candor/plan";
import { readPlan } from "@candor/server";
import { expect, test } from "vitest";
import { listAttention } from "./attention.ts";

const NOON_MS = Date.UTC(2026, 5, 10, 12);
const plan = readPlan(fileURLToPath(new URL("../../fixtures/small-plan.yaml", import.meta.url)));

/** Returns the small plan with every event expiring on this date; undefined: never. */
function expiring(expires: string | undefined): Plan {
  return { ...plan, events: plan.events.map((event) => ({ ...event, expires })) };
}

test("a plan that enforces, truncates addresses and has no event that expires needs no attention", () => {
  expect(listAttention(plan, NOON_MS)).toEqual([]);
});

test.each<[string, "expired" | "expiring" | undefined, string]>([
  ["2026-06-09", "expired", "It expired on 2026-06-09 and is dropped."],
  ["2026-06-10", "expired", "It expired on 2026-06-10 and is dropped."],
  ["2026-06-11", "expiring", "It expires on 2026-06-11, within a day."],
  ["2026-07-10", "expiring", "It expires on 2026-07-10, in 30 days."],
  ["2026-07-11", undefined, ""],
])("an event that expires on %s, on 10 June: %s", (expires, kind, text) => {
  const where = "event track Opened";
  const todo = "Renew `expires`, or remove the event from the plan.";
  expect(listAttention(expiring(expires), NOON_MS)).toEqual(
    kind === undefined ? [] : [{ kind, where, text: `${text} ${todo}` }],
  );
});

test("an example that the collector would change", () => {
  const { server } = plan.sources;
  if (server === undefined) throw new Error("the small plan has a server");
  const userAgent: Field = {
    type: "string",
    format: "user_agent",
    maxLength: 256,
    enum: undefined,
    pattern: undefined,
    hash: false,
    sensitivity: "technical",
    description: "The browser.",
    example: "Small 1.0",
    since: 1,
    required: false,
    exception: undefined,
    column: false,
    fact: false,
    dimension: false,
    measure: undefined,
    keptWith: [],
  };
  const sources = { server: { ...server, context: { userAgent } } };
  expect(listAttention({ ...plan, sources }, NOON_MS)).toEqual([
    {
      kind: "example_changed",
      where: "event track Opened, from server: context.userAgent",
      text: "The example is taken for no person's browser. Write a whole user agent, or families such as `Firefox on Linux`.",
    },
  ]);
});

test.each([
  ["Small", ["SMALL_DISABLE_TELEMETRY"], undefined],
  ["Node-RED", ["NODE_RED_DISABLE_TELEMETRY"], undefined],
  ["Node-RED", ["NODERED_OFF", "NODE_RED_DISABLE_TELEMETRY"], undefined],
  ["Node-RED", ["NODERED_OFF"], "`disable: [NODERED_OFF, NODE_RED_DISABLE_TELEMETRY]`"],
  ["Node-RED", ["A", "B"], "`disable: [A, B, NODE_RED_DISABLE_TELEMETRY]`"],
] as const)(
  "%s, turned off by %j: a missing name that operators expect is reported",
  (product, disable, cure) => {
    const text = `An operator who guesses the name from the product sets \`NODE_RED_DISABLE_TELEMETRY=true\`, which has no effect. Write ${cure}.`;
    expect(listAttention({ ...plan, product, switches: { ...plan.switches, disable } }, NOON_MS)).toEqual(
      cure === undefined ? [] : [{ kind: "switch", where: "switches", text }],
    );
  },
);

test("a source that observes and one that keeps addresses", () => {
  const { server } = plan.sources;
  if (server === undefined) throw new Error("the small plan has a server");
  const sources = { server: { ...server, mode: "observe" }, client: { ...server, ip: "keep" } } as const;
  expect(listAttention({ ...plan, sources }, NOON_MS).map(({ kind, where }) => [kind, where])).toEqual([
    ["observe", "source server"],
    ["ip_keep", "source client"],
  ]);
});

test("what the installer kit cannot report, after the sources", () => {
  const events = plan.events.map((event) => ({ ...event, sources: ["installer" as const] }));
  expect(listAttention({ ...plan, events }, NOON_MS)).toEqual([
    {
      kind: "installer",
      where: "source installer",
      text: "No event `Installation Errors` is declared: a failed install tells nothing.",
    },
  ]);
});
