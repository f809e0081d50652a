import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "@candor/plan/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { GeneratedPlan } from "./generated-plan.ts";
import { APPSMITH, openForTest, type World } from "./rig/in-process.ts";
import { createManualClock } from "./rig/manual-clock.ts";
import { receipt, stored } from "./rig/receipt.ts";
import { type Recorder, startRecorder } from "./rig/recorder.ts";

const ACTION = "execute_ACTION_TRIGGERED";
const CONTENT = APPSMITH.content as Plan;
let recorder: Recorder;

beforeEach(async () => {
  recorder = await startRecorder();
});
afterEach(() => recorder.close());

/** A plan in which every server event needs a Yes. */
function optInPlan(): GeneratedPlan {
  const content = structuredClone(CONTENT) as unknown as {
    sources: { server: { consent: string } };
    events: { sources: string[]; consent?: string }[];
  };
  content.sources.server.consent = "opt-in";
  for (const event of content.events) if (event.sources.includes("server")) delete event.consent;
  return { ...APPSMITH, content };
}

function openWith(receipts: string, plan = APPSMITH): World {
  // This clock stands still, so that only `flush` sends anything.
  const clock = createManualClock(Date.now());
  return openForTest({ environment: {}, plan, before: stored(receipts), host: recorder.url, clock });
}

/** Writes a message of the client that waits in the outbox. @returns the path of its file */
function writeOfClient({ dir }: World, line: string): string {
  const file = join(dir, "outbox", "client-opt-in-20261123T120000Z-aa.ndjson");
  mkdirSync(join(dir, "outbox"), { recursive: true });
  writeFileSync(file, line);
  return file;
}

const receiptsOf = ({ dir }: World): string => join(dir, "receipts.ndjson");
const instanceOf = ({ dir }: World): string => readFileSync(join(dir, "instance.json"), "utf8");

describe("a missing consent", () => {
  const newer = { planVersion: CONTENT.version + 1, planHash: "e".repeat(64) };
  const cases: readonly [string, string, string | undefined, string, GeneratedPlan?][] = [
    ["a notice of a newer plan", receipt("notice"), receipt("notice", newer), "consent_stale"],
    ["a Yes to a newer plan", receipt("yes"), receipt("yes", newer), "consent_stale"],
    [
      "an answer to another build",
      receipt("yes"),
      receipt("yes", { planHash: "e".repeat(64) }),
      "consent_stale",
    ],
    ["a notice that was removed", receipt("notice"), undefined, "notice_missing"],
    ["a Yes that was removed", receipt("yes"), undefined, "consent_missing", optInPlan()],
    ["a notice where a Yes is needed", receipt("yes"), receipt("notice"), "consent_missing", optInPlan()],
    ["a malformed answer", receipt("yes"), "{", "receipt_unreadable"],
  ];
  it.each(cases)("stops sending and deletes nothing: %s", async (_what, first, then, reason, plan) => {
    const world = openWith(first, plan);
    const { telemetry } = world;
    telemetry.track(ACTION, { timeElapsed: 1 });
    await new Promise((resolve) => setTimeout(resolve, 60));
    telemetry.track(ACTION, { timeElapsed: 2 }); // still in memory
    const instance = instanceOf(world);
    if (then === undefined) rmSync(receiptsOf(world));
    else writeFileSync(receiptsOf(world), then);
    expect(telemetry.status()).toMatchObject({ state: "off", reason });
    expect(world.messages().map(({ properties }) => properties?.timeElapsed)).toEqual([1, 2]);
    expect(instanceOf(world)).toBe(instance);
    telemetry.track(ACTION, { timeElapsed: 3 });
    expect(await telemetry.flush()).toBe(true);
    expect(recorder.requests).toEqual([]);

    writeFileSync(receiptsOf(world), first);
    expect(telemetry.status().state).toBe("on");
    expect(await telemetry.flush()).toBe(true);
    expect(recorder.kept.map(({ properties }) => properties)).toMatchObject([
      { timeElapsed: 1 },
      { timeElapsed: 2 },
    ]);
    expect(instanceOf(world)).toBe(instance);
  });

  it("for one source leaves its messages, while the other's are sent", async () => {
    const world = openWith(receipt("notice") + receipt("yes", { source: "client" }));
    world.core.addSource("client", "client_key");
    const line = `${JSON.stringify({ type: "track", event: "x" })}\n`;
    const ofClient = writeOfClient(world, line);
    writeFileSync(receiptsOf(world), receipt("notice"));
    world.telemetry.track(ACTION, {});
    expect(await world.telemetry.flush()).toBe(true);
    expect(recorder.kept.map(({ event }) => event)).toEqual([ACTION]);
    expect(readFileSync(ofClient, "utf8")).toBe(line);
  });

  it("for a source that this plan lacks leaves what another version of the product wrote for it", () => {
    const { sources, events, ...rest } = structuredClone(CONTENT) as Plan & { sources: { client?: unknown } };
    delete sources.client;
    const content = { ...rest, sources, events: events.filter((event) => event.sources.includes("server")) };
    const world = openWith(receipt("notice"), { ...APPSMITH, content });
    const ofClient = writeOfClient(world, "{}\n");
    writeFileSync(receiptsOf(world), receipt("yes"));
    expect(world.telemetry.status().state).toBe("on");
    expect(readFileSync(ofClient, "utf8")).toBe("{}\n");
  });
});

describe("a refusal", () => {
  const refusals: readonly [string, (world: World, environment: Record<string, string>) => void][] = [
    ["a No", (world) => writeFileSync(receiptsOf(world), receipt("no"))],
    ["DO_NOT_TRACK", (_world, environment) => Object.assign(environment, { DO_NOT_TRACK: "1" })],
    [
      "the product's variable",
      (_world, environment) => Object.assign(environment, { APPSMITH_DISABLE_TELEMETRY: "1" }),
    ],
  ];
  it.each(refusals)("deletes the server's ids and messages: %s", async (_what, refuse) => {
    const environment: Record<string, string> = {};
    const world = openForTest({
      environment: environment as Readonly<Record<string, string>>,
      before: stored(receipt("notice")),
    });
    world.telemetry.track(ACTION, {});
    await new Promise((resolve) => setTimeout(resolve, 60));
    refuse(world, environment);
    expect(world.telemetry.status().state).toBe("off");
    expect(world.files()).toEqual(["receipts.ndjson"]);
  });

  it("of the server leaves the client's waiting messages, and the id under which they were recorded", () => {
    const world = openWith(receipt("notice"));
    const ofClient = writeOfClient(world, "{}\n");
    writeFileSync(receiptsOf(world), receipt("no"));
    expect(world.telemetry.status()).toMatchObject({ state: "off", reason: "stored_no" });
    expect(readFileSync(ofClient, "utf8")).toBe("{}\n");
    expect(world.files()).toContain("instance.json");
  });
});
