import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Answer } from "@candor/consent";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTelemetry } from "./create-telemetry.ts";
import type { GeneratedPlan } from "./generated-plan.ts";
import { APPSMITH, makeFolderForTest, openForTest, SWITCH_OFFERED } from "./rig/in-process.ts";
import { createManualClock } from "./rig/manual-clock.ts";
import { receipt } from "./rig/receipt.ts";
import { type Recorder, startRecorder } from "./rig/recorder.ts";
import type { TelemetryOptions } from "./settings.ts";

const ACTION = "execute_ACTION_TRIGGERED";
const ACTIVE = "Instance Active";
let recorder: Recorder;

beforeEach(async () => {
  recorder = await startRecorder();
});
afterEach(() => recorder.close());

function planWithOptIn(): GeneratedPlan {
  const content = structuredClone(APPSMITH.content) as { events: { name?: string; consent?: string }[] };
  for (const event of content.events) if (event.name === ACTION) event.consent = "opt-in";
  return { ...APPSMITH, content };
}

function eventsSent(): readonly unknown[] {
  return recorder.kept.map(({ event }) => event);
}

describe("a folder", () => {
  it("that the product uses itself keeps the product's files when everything is erased", () => {
    const dir = makeFolderForTest();
    mkdirSync(join(dir, "outbox", "mail"), { recursive: true });
    const own = [
      "outbox/mail/1.eml",
      "outbox/server.ndjson",
      "instance.json",
      "delivery.json",
      "a.0a1b2c3d.tmp",
    ];
    for (const name of own) writeFileSync(join(dir, name), '{"of":"the product"}');
    const ours = [
      "outbox/server-notice-20261101T000000Z-aa.ndjson",
      "outbox/server-notice-20261101T000000Z-aa.sent",
    ];
    for (const name of ours) writeFileSync(join(dir, name), "1\n");
    openForTest({ stateDir: dir, environment: { DO_NOT_TRACK: "1" } });
    const left = readdirSync(dir, { recursive: true, encoding: "utf8" }).sort();
    expect(left).toEqual([...own, "outbox", "outbox/mail"].sort());
  });

  it("keeps the instance's identity while a policy cannot be read, and continues once it can", () => {
    const policyFile = join(makeFolderForTest(), "policy");
    const { telemetry, files } = openForTest({ policyFile });
    const { instanceId } = telemetry.status();
    mkdirSync(policyFile);
    expect(telemetry.status()).toMatchObject({ state: "off", reason: "policy_unreadable" });
    expect(files()).toContain("instance.json");
    rmSync(policyFile, { recursive: true });
    expect(telemetry.status()).toMatchObject({ state: "on", instanceId });
  });

  it("does not expose a file that a link in its outbox points to", async () => {
    const world = openForTest({ host: recorder.url });
    world.telemetry.track(ACTION, {});
    const secret = join(world.dir, "..", "secret.txt");
    writeFileSync(secret, "DB_PASSWORD=hunter2\n");
    mkdirSync(join(world.dir, "outbox"), { recursive: true });
    symlinkSync(secret, join(world.dir, "outbox", "server-notice-20261101T000000Z-aa.ndjson"));
    expect(await world.telemetry.flush()).toBe(true);
    expect(eventsSent()).toEqual([ACTION]);
    expect(recorder.requests.map(({ text }) => text).join("")).not.toContain("hunter2");
  });
});

describe("consent for some events", () => {
  it("when withdrawn, also applies to waiting messages, and leaves the others", async () => {
    const { telemetry, dir } = openForTest({
      host: recorder.url,
      plan: planWithOptIn(),
      sendEveryMs: 60_000,
    });
    telemetry.answer("yes");
    telemetry.track(ACTION, {});
    telemetry.track(ACTIVE, {});
    await new Promise((resolve) => setTimeout(resolve, 60));
    writeFileSync(join(dir, "receipts.ndjson"), receipt("yes") + receipt("notice"));
    telemetry.track(ACTION, {});
    telemetry.track(ACTIVE, {});
    expect(await telemetry.flush()).toBe(true);
    expect(eventsSent()).toEqual([ACTIVE, ACTIVE]);
  });

  it("is not given to the server's events by the client's variable", async () => {
    const environment = { ...SWITCH_OFFERED, APPSMITH_CLIENT_TELEMETRY: "true" };
    const { telemetry, dir } = openForTest({ plan: planWithOptIn(), environment });
    telemetry.track(ACTION, {});
    expect(telemetry.status().counts.dropped).toEqual({ withheld: 1 });
    expect(readFileSync(join(dir, "receipts.ndjson"), "utf8")).toContain('"answer":"notice"');
  });

  it("keeps the id if the server gets a No and the client a Yes, in either order", () => {
    const stateDir = join(makeFolderForTest(), "telemetry");
    const start = (): string | undefined => {
      const { core, telemetry } = openForTest({ stateDir, environment: {} });
      core.addSource("client", "client_key");
      return telemetry.status().instanceId;
    };
    mkdirSync(stateDir);
    writeFileSync(join(stateDir, "receipts.ndjson"), receipt("no") + receipt("yes", { source: "client" }));
    const first = start();
    expect(first).toBeDefined();
    expect([start(), start()]).toEqual([first, first]);
  });

  it("is denied by a policy that uses either name of the product", () => {
    for (const name of ["appsmith", "Appsmith CE"]) {
      const policyFile = join(makeFolderForTest(), "policy");
      writeFileSync(policyFile, `off ${name}\n`);
      const { telemetry } = openForTest({ policyFile, product: "Appsmith CE" });
      expect(telemetry.status()).toMatchObject({ state: "off", reason: "policy_off" });
    }
  });
});

describe("an answer", () => {
  it("that is invalid is refused, and changes nothing", () => {
    const { telemetry, dir } = openForTest();
    const before = readFileSync(join(dir, "receipts.ndjson"), "utf8");
    const wrong: readonly [unknown, unknown?][] = [
      ["Yes"],
      ["yes", ["sever"]],
      ["yes", []],
      [undefined],
      ["no", 7],
    ];
    for (const [answer, sources] of wrong) {
      expect(telemetry.answer(answer as Answer, sources as ["server"])).toBe(false);
    }
    expect(readFileSync(join(dir, "receipts.ndjson"), "utf8")).toBe(before);
    expect(telemetry.status().state).toBe("on");
  });

  it("of No deletes everything, even of a source that this process does not have, and after close", async () => {
    const { telemetry, dir, files } = openForTest();
    mkdirSync(join(dir, "outbox"), { recursive: true });
    const ofInstaller = join(dir, "outbox", "installer-notice-20261123T120000Z-aa.ndjson");
    writeFileSync(join(dir, "receipts.ndjson"), receipt("notice", { source: "installer" }), {
      flag: "a",
    });
    writeFileSync(ofInstaller, "{}\n");
    expect(telemetry.answer("no", ["installer"])).toBe(true);
    expect(readdirSync(join(dir, "outbox"))).toEqual([]);
    await telemetry.close({ timeoutMs: 100 });
    expect(telemetry.answer("no")).toBe(true);
    expect(files()).toEqual(["receipts.ndjson"]);
  });

  it("of another process is seen before heartbeats begin", () => {
    const { telemetry, dir, files } = openForTest();
    writeFileSync(join(dir, "receipts.ndjson"), receipt("no"));
    telemetry.keepAlive({ healthy: () => false });
    expect(files()).toEqual(["receipts.ndjson"]);
  });

  it("is read again before each post, even while a batch is split", async () => {
    const { telemetry, dir } = openForTest({ host: recorder.url, sendEveryMs: 60_000 });
    for (let n = 0; n < 64; n += 1) telemetry.track(ACTION, {});
    let posts = 0;
    recorder.answer = ({ path }, response) => {
      if (path !== "/v1/batch") return undefined;
      posts += 1;
      if (posts === 2) writeFileSync(join(dir, "receipts.ndjson"), receipt("no"));
      response.writeHead(400).end("{}");
      return true;
    };
    await telemetry.flush();
    expect(posts).toBe(2);
  });
});

describe("the collector", () => {
  it("is not contacted before the time it asked for, however often the product flushes", async () => {
    const clock = createManualClock(Date.now());
    const { telemetry } = openForTest({ host: recorder.url, clock });
    telemetry.track(ACTION, {});
    recorder.answer = (_request, response) => {
      response.writeHead(429, { "retry-after": "60" }).end("{}");
      return true;
    };
    expect(await telemetry.flush()).toBe(false);
    const asked = recorder.requests.length;
    await Promise.all(Array.from({ length: 50 }, () => telemetry.flush()));
    expect(recorder.requests).toHaveLength(asked);
    recorder.answer = undefined;
    await clock.advance(61_000);
    await telemetry.flush();
    expect(eventsSent()).toEqual([ACTION]);
  });

  it("is contacted once if many callers flush at the same time", async () => {
    const { telemetry } = openForTest({ host: recorder.url });
    telemetry.track(ACTION, {});
    await Promise.all(Array.from({ length: 50 }, () => telemetry.flush()));
    expect(recorder.requests.map(({ path }) => path)).toEqual(["/v1/batch"]);
  });
});

describe("the product", () => {
  const explosive = (): never => {
    throw new Error("read");
  };
  const trap = <Value extends object>(): Value =>
    new Proxy({} as Value, { get: explosive, ownKeys: explosive });

  it("gets no exception when it creates telemetry from values that throw", () => {
    const options: TelemetryOptions = {
      plan: APPSMITH,
      source: "server",
      writeKey: "k",
      host: "http://127.0.0.1:9",
      stateDir: makeFolderForTest(),
      environment: SWITCH_OFFERED,
    };
    for (const wrong of [trap<TelemetryOptions>(), { ...options, plan: trap<GeneratedPlan>() }]) {
      expect(createTelemetry(wrong).status().state).toBe("off");
    }
    for (const environment of [
      trap<object>(),
      { DO_NOT_TRACK: true, ...SWITCH_OFFERED },
      { DO_NOT_TRACK: 1n },
    ]) {
      const telemetry = createTelemetry({ ...options, environment: environment as Record<string, string> });
      expect(telemetry.status().state).toBe("off");
    }
  });

  it.each([undefined, null, {}, { disable: "A_OFF" }, { disable: [] }, { disable: [1] }])(
    "cannot start telemetry with a plan that has no off switch: %j",
    (switches) => {
      const content = { ...(APPSMITH.content as object), switches };
      const stateDir = makeFolderForTest();
      writeFileSync(join(stateDir, "receipts.ndjson"), receipt("yes"));
      const telemetry = createTelemetry({
        plan: { ...APPSMITH, content },
        source: "server",
        writeKey: "k",
        host: "http://127.0.0.1:9",
        stateDir,
        environment: {},
      });
      expect(telemetry.status()).toMatchObject({ state: "off", reason: "options_invalid" });
    },
  );

  it("gets no exception whatever it calls, on or off", async () => {
    const off = createTelemetry({} as TelemetryOptions);
    for (const telemetry of [openForTest().telemetry, off]) {
      telemetry.keepAlive(trap());
      telemetry.gateway(trap());
      telemetry.inspector(trap());
      expect(telemetry.answer("yes", trap())).toBe(false);
      for (const timeoutMs of [Symbol("x"), 1n, Number.NaN, -1, "1", Number.POSITIVE_INFINITY]) {
        await telemetry.flush({ timeoutMs: timeoutMs as number });
      }
      await telemetry.flush(trap());
      await telemetry.close(trap());
    }
  });

  it("is not harmed by its own functions that fail later", async () => {
    const debug = (() => Promise.reject(new Error("late"))) as unknown as (line: string) => void;
    const { telemetry } = openForTest({ stateDir: "/dev/null/telemetry", debug });
    expect(telemetry.status().reason).toBe("state_unwritable");
    await new Promise((resolve) => setImmediate(resolve));
  });
});
