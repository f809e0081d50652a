import { expect, it } from "vitest";
import { REFERENCE_PLAN } from "../../plan/src/rig/reference-plan.ts";
import type { GeneratedPlan } from "./generated-plan.ts";
import { APPSMITH, openForTest } from "./rig/in-process.ts";
import { createManualClock } from "./rig/manual-clock.ts";

const ACTION = "execute_ACTION_TRIGGERED";
const ACTIVE = "Instance Active";

function planWithRate(maxPerMinute: number): GeneratedPlan {
  const content = structuredClone(APPSMITH.content) as { events: { name?: string; maxPerMinute: number }[] };
  for (const event of content.events) if (event.name === ACTION) event.maxPerMinute = maxPerMinute;
  return { ...APPSMITH, content };
}

it("a loop in the product records what the plan allows per minute, and the next message says how many were skipped", async () => {
  const clock = createManualClock(Date.now());
  const { telemetry, messages } = openForTest({ plan: planWithRate(60), clock });
  for (let n = 0; n < 20_000; n += 1) telemetry.track(ACTION, { timeElapsed: n });
  telemetry.track(ACTIVE, { boot: "0123456789abcdef" }); // another event has a rate of its own
  expect(telemetry.status().counts).toMatchObject({ kept: 61, dropped: { too_many: 19_940 } });

  await clock.advance(2000); // one more event is allowed each second
  for (let n = 0; n < 3; n += 1) telemetry.track(ACTION, { timeElapsed: n });
  await expect.poll(() => messages().length, { timeout: 10_000 }).toBe(63);
  const said = messages().map(({ candor }) => (candor as { skipped?: number }).skipped);
  expect(said.filter((skipped) => skipped !== undefined)).toEqual([19_940]);
  await clock.advance(60_000);
  telemetry.track(ACTION, { timeElapsed: 0 });
  await expect.poll(() => messages().length, { timeout: 10_000 }).toBe(64);
  expect(messages().map(({ candor }) => candor)).toContainEqual({
    planVersion: REFERENCE_PLAN.version,
    skipped: 1,
  });
});

it("messages that the plan drops do not count towards the rate", () => {
  const { telemetry } = openForTest({ plan: planWithRate(2), clock: createManualClock(Date.now()) });
  for (let n = 0; n < 5; n += 1) telemetry.track("Undeclared", {});
  for (let n = 0; n < 2; n += 1) telemetry.track(ACTION, { timeElapsed: n });
  expect(telemetry.status().counts).toMatchObject({ kept: 2, dropped: { event_not_in_plan: 5 } });
});
