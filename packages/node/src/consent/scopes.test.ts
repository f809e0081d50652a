import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "@candor/plan/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { GeneratedPlan } from "../generated-plan.ts";
import { APPSMITH, openForTest, SWITCH_OFFERED, type World, type WorldOptions } from "../rig/in-process.ts";
import { createManualClock } from "../rig/manual-clock.ts";
import { receipt } from "../rig/receipt.ts";
import { type Recorder, startRecorder } from "../rig/recorder.ts";
import { ConsentGate, isRefusal } from "./gate.ts";

/** NOTICED is an event under the rule notice. AGREED is one under the rule that `withRule` sets. */
const NOTICED = "Instance Active";
const AGREED = "execute_ACTION_TRIGGERED";
const CONTENT = APPSMITH.content as Plan;
let recorder: Recorder;

beforeEach(async () => {
  recorder = await startRecorder();
});
afterEach(() => recorder.close());

function withRule(consent: "notice" | "opt-in", server: "notice" | "opt-in" = "notice"): GeneratedPlan {
  const content = structuredClone(CONTENT) as unknown as {
    sources: { server: { consent: string } };
    events: { name?: string; consent?: string }[];
  };
  content.sources.server.consent = server;
  for (const event of content.events) {
    if (event.name === AGREED) event.consent = consent;
    if (event.name === NOTICED) event.consent = "notice";
  }
  return { ...APPSMITH, content };
}

/** Opens telemetry with a clock that stands still, so that only `flush` sends anything. */
function open(options: WorldOptions): World {
  return openForTest({ host: recorder.url, clock: createManualClock(Date.now()), ...options });
}

async function recordBoth({ telemetry, messages }: World): Promise<void> {
  telemetry.track(NOTICED, { boot: "0123456789abcdef" });
  telemetry.track(AGREED, { timeElapsed: 1 });
  await expect.poll(() => messages().length, { timeout: 10_000 }).toBe(2);
}

function outboxOf({ dir }: World): Readonly<Record<string, string>> {
  const names = readdirSync(join(dir, "outbox")).filter((name) => name.endsWith(".ndjson"));
  const texts = names.map((name) => [
    name.replace(/-\d{8}T.*/, ""),
    readFileSync(join(dir, "outbox", name), "utf8"),
  ]);
  return Object.fromEntries(texts);
}

const eventsSent = (): readonly unknown[] => recorder.kept.map(({ event }) => event);

describe("messages in the outbox", () => {
  it("are in one file for each rule that they were recorded under", async () => {
    const world = open({ plan: withRule("opt-in") });
    world.telemetry.answer("yes");
    await recordBoth(world);
    const outbox = outboxOf(world);
    expect(Object.keys(outbox).sort()).toEqual(["server-notice", "server-opt-in"]);
    expect(outbox["server-notice"]).toContain(NOTICED);
    expect(outbox["server-opt-in"]).toContain(AGREED);
  });

  it("are deleted when their rule is refused, and the other rule's file is not touched", async () => {
    const environment: Record<string, string> = { ...SWITCH_OFFERED, APPSMITH_CLIENT_TELEMETRY: "true" };
    const world = open({ plan: withRule("opt-in", "opt-in"), environment });
    await recordBoth(world);
    const before = outboxOf(world);
    environment.APPSMITH_CLIENT_TELEMETRY = "false";
    expect(world.telemetry.status().state).toBe("on");
    expect(outboxOf(world)).toEqual({ "server-notice": before["server-notice"] });
    await world.telemetry.flush();
    expect(eventsSent()).toEqual([NOTICED]);
  });

  it("stay as they are while an answer is missing, and are sent once there is one", async () => {
    const world = open({ plan: withRule("opt-in"), environment: {} });
    world.telemetry.answer("yes");
    await recordBoth(world);
    const before = outboxOf(world);
    writeFileSync(join(world.dir, "receipts.ndjson"), receipt("notice"));
    await world.telemetry.flush();
    expect([eventsSent(), outboxOf(world)]).toEqual([[NOTICED], before]);
    world.telemetry.answer("yes");
    await world.telemetry.flush();
    expect(eventsSent()).toEqual([NOTICED, AGREED]);
  });

  it("keep the rule that they were recorded under when a plan moves their event to another rule", async () => {
    const first = open({ plan: withRule("notice") });
    await recordBoth(first);
    await first.telemetry.close({ timeoutMs: 0 });
    recorder.requests.length = 0;
    const second = open({ plan: withRule("opt-in"), stateDir: first.dir });
    second.telemetry.track(AGREED, { timeElapsed: 2 });
    expect(second.telemetry.status().counts.dropped).toEqual({ withheld: 1 });
    await second.telemetry.flush();
    expect([...new Set(eventsSent())].sort()).toEqual([NOTICED, AGREED].sort());
  });
});

describe("the consent gate", () => {
  it("reads consent again each time, distinguishes a refusal from a missing answer, and changes nothing", async () => {
    const environment: Record<string, string> = {};
    const world = open({ plan: withRule("opt-in"), environment });
    world.telemetry.answer("yes");
    await recordBoth(world);
    const { settings, folder } = world.core;
    const gate = new ConsentGate(settings, folder);
    const check = () => (["notice", "opt-in"] as const).map((rule) => gate.check({ source: "server", rule }));
    const before = [world.files(), outboxOf(world)];
    expect(check().map(({ reason }) => reason)).toEqual(["consented", "consented"]);

    writeFileSync(folder.receipts, receipt("notice"));
    expect(check().map(({ reason }) => reason)).toEqual(["notice_shown", "consent_missing"]);
    expect(check().map(isRefusal)).toEqual([false, false]);

    environment.DO_NOT_TRACK = "1";
    expect(check().map(({ reason }) => reason)).toEqual([
      "environment_do_not_track",
      "environment_do_not_track",
    ]);
    expect(check().map(isRefusal)).toEqual([true, true]);
    expect([world.files(), outboxOf(world)]).toEqual(before);
    expect(world.core.session?.signal.aborted).toBe(false);
  });
});
