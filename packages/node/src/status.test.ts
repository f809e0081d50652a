import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "@candor/plan/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { REFERENCE_PLAN } from "../../plan/src/rig/reference-plan.ts";
import { createTelemetry } from "./create-telemetry.ts";
import type { GeneratedPlan } from "./generated-plan.ts";
import type { KeepAliveOptions } from "./keep-alive.ts";
import { APPSMITH, makeFolderForTest, openForTest, SWITCH_OFFERED } from "./rig/in-process.ts";
import { createManualClock } from "./rig/manual-clock.ts";
import { receipt } from "./rig/receipt.ts";
import { type Recorder, startRecorder } from "./rig/recorder.ts";
import type { TelemetryOptions } from "./settings.ts";

const ACTION = "execute_ACTION_TRIGGERED";
const HOUR_MS = 60 * 60_000;
const healthy = (): boolean => true;
let recorder: Recorder;

beforeEach(async () => {
  recorder = await startRecorder();
});
afterEach(() => recorder.close());

function planWith(keep: (event: { name?: string; sources: readonly string[] }) => boolean): GeneratedPlan {
  const content = structuredClone(APPSMITH.content) as { events: { name?: string; sources: string[] }[] };
  content.events = content.events.filter(keep);
  return { ...APPSMITH, content };
}

function refuse(status: number): void {
  recorder.answer = (_request, response) => {
    response.writeHead(status).end("{}");
    return true;
  };
}

describe("the sources in status()", () => {
  it("say who may send, and why: `on` may mean the client alone", () => {
    const { telemetry } = openForTest({
      environment: {},
      before: (dir) => {
        mkdirSync(dir);
        writeFileSync(
          join(dir, "receipts.ndjson"),
          receipt("no", { by: "product" }) + receipt("yes", { source: "client", by: "product" }),
        );
      },
    });
    telemetry.gateway({ writeKey: "client_key" });
    telemetry.track(ACTION, {});
    expect(telemetry.status()).toMatchObject({
      state: "on",
      sources: {
        installer: { allow: false, reason: "notice_missing" },
        server: { allow: false, reason: "stored_no" },
        client: { allow: true, reason: "consented" },
      },
      counts: { dropped: { off: 1 } },
    });
  });

  it("say so also while telemetry is off or in log mode, and are empty if the options are unusable", () => {
    const log = openForTest({ environment: { ...SWITCH_OFFERED, APPSMITH_TELEMETRY: "log" } });
    expect(log.telemetry.status().sources.server).toEqual({ allow: false, reason: "log_mode" });
    const off = openForTest({ environment: { DO_NOT_TRACK: "1" } });
    expect(off.telemetry.status().sources.server?.reason).toBe("environment_do_not_track");
    expect(createTelemetry({} as TelemetryOptions).status().sources).toEqual({});
  });

  it("allow when any of a source's events may be sent", () => {
    const content = structuredClone(APPSMITH.content) as { events: { name?: string; consent?: string }[] };
    for (const event of content.events) if (event.name === ACTION) event.consent = "opt-in";
    const { telemetry } = openForTest({ plan: { ...APPSMITH, content } });
    expect(telemetry.status().sources.server).toEqual({ allow: true, reason: "notice_shown" });
  });
});

describe("a mistake in what the product passed", () => {
  it("is not reported if everything is right", () => {
    const { telemetry, told } = openForTest({ sendEveryMs: 0, maxOutboxBytes: 1024 * 1024, product: "A" });
    telemetry.gateway({ writeKey: "client_key", maxMessagesPerSecond: 1, clientAddress: () => undefined });
    telemetry.keepAlive({ everyHours: 168, healthy });
    expect(telemetry.status().problems).toEqual([]);
    expect(told).toEqual([]);
  });

  it("to createTelemetry appears in status() and debug, but turns nothing off that can be on", () => {
    const wrong = {
      sendEveryMS: 100,
      sendEveryMs: "100",
      maxOutboxBytes: 10,
      product: 7,
      environment: { ...SWITCH_OFFERED },
      telemetryUrl: "x",
    };
    const { telemetry, told } = openForTest(wrong as unknown as TelemetryOptions);
    const { state, problems } = telemetry.status();
    expect(state).toBe("on");
    expect(problems).toEqual([
      "product: give a name as text.",
      "sendEveryMs: give a number of milliseconds, at least 0.",
      "maxOutboxBytes: give a number of bytes, at least 1048576.",
      "sendEveryMS: there is no such option; write `sendEveryMs`.",
      expect.stringMatching(
        /^telemetryUrl: there is no such option; these are known: plan, source, writeKey, /,
      ),
    ]);
    expect(told).toEqual(problems);
  });

  it("is passed to debug, if there is one, even if it keeps telemetry off", () => {
    const told: string[] = [];
    const options = { plan: APPSMITH, source: "server", writekey: "k", host: "http://127.0.0.1:9" };
    const debug = (line: string): unknown => told.push(line);
    const telemetry = createTelemetry({ ...options, debug } as unknown as TelemetryOptions);
    expect(told.map((line) => line.split(":")[0])).toEqual(["writeKey", "stateDir", "writekey"]);
    expect(telemetry.status().problems).toEqual(told);
    expect(createTelemetry({ debug: 7 } as unknown as TelemetryOptions).status().problems).toContain(
      "debug: give a function.",
    );
  });

  it.each([
    ["no key", { writeKey: undefined }, ["writeKey"]],
    ["nothing", undefined, ["writeKey"]],
    [
      "wrong values",
      { writeKey: "k", clientAddress: "1.2.3.4", maxMessagesPerSecond: 0, writekey: "k" },
      ["clientAddress", "maxMessagesPerSecond", "writekey"],
    ],
  ])("to gateway, such as %s, appears there too", (_what, options, names) => {
    const { telemetry, told } = openForTest();
    telemetry.gateway(options as unknown as { writeKey: string });
    const { problems } = telemetry.status();
    expect(problems.map((problem) => problem.split(":")[0])).toEqual(names.map((name) => `gateway.${name}`));
    telemetry.gateway({ writeKey: "client_key" }); // the first gateway is still wrong
    expect(telemetry.status().problems).toEqual(problems);
    expect(told).toEqual(problems);
  });

  it("to keepAlive appears there until it is called correctly", () => {
    const { telemetry } = openForTest();
    const names = (): readonly unknown[] => telemetry.status().problems.map((one) => one.split(":")[0]);
    telemetry.keepAlive({ everyHours: 6 } as KeepAliveOptions);
    expect(names()).toEqual(["keepAlive.healthy"]);
    telemetry.keepAlive({ everyHours: 1000, healthy, hours: 6 } as KeepAliveOptions);
    expect(names()).toEqual(["keepAlive.everyHours", "keepAlive.hours"]);
    telemetry.keepAlive({ everyHours: 6, healthy });
    expect(names()).toEqual([]);
  });

  it("may be a value that throws when it is read", () => {
    const explosive = new Proxy({} as never, {
      ownKeys: () => {
        throw new Error("read");
      },
    });
    const { telemetry } = openForTest();
    telemetry.keepAlive(explosive);
    telemetry.gateway(explosive);
    expect(telemetry.status().problems).toEqual([
      "keepAlive: give plain values, nothing that throws when it is read.",
      "gateway: give plain values, nothing that throws when it is read.",
    ]);
  });
});

describe("a plan that declares too little", () => {
  it("for the server is reported, and no notice is asked for that would change nothing", () => {
    const { telemetry } = openForTest({ plan: planWith(({ sources }) => !sources.includes("server")) });
    telemetry.track(ACTION, {});
    expect(telemetry.status()).toMatchObject({
      state: "off",
      reason: "no_events",
      problems: [expect.stringContaining("no event for the server")],
      sources: { server: { allow: false, reason: "no_events" } },
    });
    telemetry.gateway({ writeKey: "client_key" }); // now there are events for the client
    expect(telemetry.status()).toMatchObject({ reason: "consent_missing", problems: [] });
    telemetry.answer("yes", ["client"]);
    expect(telemetry.status()).toMatchObject({ state: "on", problems: [] });
  });

  it("for heartbeats, or for a gateway, is reported at once", () => {
    const { telemetry } = openForTest({
      plan: planWith(({ name, sources }) => name !== "Instance Active" && !sources.includes("client")),
    });
    telemetry.keepAlive({ healthy });
    telemetry.gateway({ writeKey: "client_key" });
    expect(telemetry.status().problems).toEqual([
      expect.stringContaining('no event "Instance Active" for the server'),
      expect.stringContaining("no event for the client"),
    ]);
  });
});

describe("a collector that refuses", () => {
  it("is reported once a day, and appears in status() until it accepts something", async () => {
    const clock = createManualClock(Date.now());
    const { telemetry, told } = openForTest({ host: recorder.url, clock });
    expect(telemetry.status().lastFault).toBeUndefined();
    refuse(401);
    telemetry.track(ACTION, {});
    expect(await telemetry.flush()).toBe(false);
    await clock.advance(5 * HOUR_MS);
    expect(await telemetry.flush()).toBe(false);
    expect(telemetry.status()).toMatchObject({ state: "on", problems: [], lastFault: "http_401" });
    expect(told).toEqual([
      "The collector did not take what was sent (http_401). The collector rejects the server's write key that was passed to createTelemetry(); `candor keys` prints the right one.",
    ]);
    await clock.advance(24 * HOUR_MS);
    expect(await telemetry.flush()).toBe(false);
    expect(told).toHaveLength(2);
    recorder.answer = undefined;
    expect(await telemetry.flush()).toBe(true);
    expect(telemetry.status().lastFault).toBeUndefined();
    expect(told).toHaveLength(2);
  });

  it("is known to every process on the folder, even after a restart, and to none that is off", async () => {
    const stateDir = join(makeFolderForTest(), "telemetry");
    const one = openForTest({ host: recorder.url, stateDir });
    const other = openForTest({ host: recorder.url, stateDir });
    refuse(503);
    one.telemetry.track(ACTION, {});
    await one.telemetry.flush();
    expect(other.telemetry.status().lastFault).toBe("http_503");
    expect(openForTest({ host: recorder.url, stateDir }).telemetry.status().lastFault).toBe("http_503");
    expect(one.told).toEqual([
      expect.stringMatching(/^The collector did not take what was sent \(http_503\)\. /),
    ]);
    await one.telemetry.close({ timeoutMs: 0 });
    expect(one.telemetry.status().lastFault).toBeUndefined();
  });
});

describe("what the collector does not keep", () => {
  it("is counted in status() by its reason, and reported once a day", async () => {
    const { telemetry, told, core } = openForTest({ host: recorder.url });
    recorder.answer = ({ path }, response) => {
      if (path !== "/v1/batch") return undefined;
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ success: true, dropped: [{ index: 0, reason: "event_not_in_plan" }] }));
      return true;
    };
    for (let n = 0; n < 2; n += 1) {
      telemetry.track(ACTION, { timeElapsed: n });
      expect(await telemetry.flush()).toBe(true);
    }
    expect(telemetry.status().refused).toEqual({ event_not_in_plan: 2 });
    expect(told).toEqual([
      "The collector received messages and did not keep them (event_not_in_plan). The collector's plan does not declare the event. Give a new plan to the collector before the products.",
    ]);
    core.close();
    expect(telemetry.status().refused).toEqual({});
  });
});

describe("a plan that collects more than the one that was agreed to", () => {
  const version = (APPSMITH.content as Plan).version;
  const openWith = (receipts: string) =>
    openForTest({
      environment: {},
      before: (dir) => {
        mkdirSync(dir);
        writeFileSync(join(dir, "receipts.ndjson"), receipts);
      },
    }).telemetry;

  it("is pending in status(), with its changelog, until it is answered", () => {
    // Version 2 added a field of the server.
    const telemetry = openWith(receipt("notice", { planVersion: 1, planHash: "e".repeat(64) }));
    const { pending, state } = telemetry.status();
    expect(state).toBe("on");
    expect(pending).toEqual({
      version,
      coversVersion: 1,
      changelog: REFERENCE_PLAN.changelog.filter((change) => change.version > 1),
      sources: ["server"],
    });
    telemetry.answer("yes");
    expect(telemetry.status().pending).toBeUndefined();
  });

  it.each([
    ["the answer is for this plan", receipt("notice")],
    ["nobody has answered yet", ""],
    ["it was refused", receipt("no", { planVersion: version - 1 })],
  ])("is not pending if %s", (_when, receipts) => {
    expect(openWith(receipts).status().pending).toBeUndefined();
  });
});

it("uses its own clock if the product passes no time, or one that no store can hold", async () => {
  const nowMs = Date.now() + HOUR_MS;
  const { telemetry, messages } = openForTest({ clock: createManualClock(nowMs) });
  const given = new Date("2026-11-01T00:00:00.000Z");
  for (const timestamp of [undefined, new Date(Number.NaN), new Date(8.64e15), given]) {
    telemetry.track(ACTION, {}, { timestamp });
  }
  await telemetry.flush({ timeoutMs: 10_000 });
  const now = new Date(nowMs).toISOString();
  expect(messages().map(({ timestamp }) => timestamp)).toEqual([now, now, now, given.toISOString()]);
});
