import { fileURLToPath } from "node:url";
import { readPlan } from "@candor/server";
import { expect, test } from "vitest";
import { REFERENCE_PLAN as appsmith } from "../../plan/src/rig/reference-plan.ts";
import { makeFirstMessage } from "./first-message.ts";

const NOW_MS = Date.UTC(2026, 11, 1);
const INSTANCE = "6f0d2f6c-3c1e-4f6e-9a55-2f1c7b1f0a3d";

test("the example is the first event tracked by the server", () => {
  expect(makeFirstMessage(appsmith, NOW_MS)).toEqual({
    source: "server",
    type: "track",
    json: `{"type":"track","event":"Instance Active","anonymousId":"${INSTANCE}","properties":{"instanceId":"${INSTANCE}"}}`,
  });
});

test("without one, it is the first event of any source, and never contains a contact", () => {
  const { sources, events } = appsmith;
  const { server: _, ...others } = sources;
  const support = events.filter(({ name }) => name === "Installation Support");
  expect(makeFirstMessage({ ...appsmith, sources: others, events: support }, NOW_MS)).toEqual({
    source: "installer",
    type: "track",
    json: '{"type":"track","event":"Installation Support","anonymousId":"anonymoustId","properties":{"os":"ubuntu","error":"port_taken","version":"1.9.2"}}',
  });
});

test("control characters and quotes in a name are escaped without changing the name", () => {
  const plan = readPlan(fileURLToPath(new URL("../fixtures/small-plan.yaml", import.meta.url)));
  const name = "It's\u001b[2J";
  const events = plan.events.map((event) => ({ ...event, name }));
  const { json = "" } = makeFirstMessage({ ...plan, events }, NOW_MS) ?? {};
  expect(json).not.toMatch(/\p{Cc}/u);
  expect(JSON.parse(json)).toMatchObject({ type: "track", event: name });
});

test("an expired event is skipped", () => {
  const events = appsmith.events.map((event) =>
    event.name === "Instance Active" ? { ...event, expires: "2026-12-01" } : event,
  );
  expect(makeFirstMessage({ ...appsmith, events }, NOW_MS)?.json).toContain("execute_ACTION_TRIGGERED");
});
