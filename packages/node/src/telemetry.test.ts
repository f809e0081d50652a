import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { REFERENCE_PLAN } from "../../plan/src/rig/reference-plan.ts";
import { createTelemetry } from "./create-telemetry.ts";
import { APPSMITH, openForTest, SWITCH_OFFERED } from "./rig/in-process.ts";
import { createManualClock } from "./rig/manual-clock.ts";
import { receipt, stored } from "./rig/receipt.ts";
import { startRecorder } from "./rig/recorder.ts";

const ACTION = "execute_ACTION_TRIGGERED";
const UUID_8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

describe("tracking", () => {
  it("puts an event into the outbox, with the instance's id, and nothing that the plan does not declare", async () => {
    const { telemetry, messages } = openForTest();
    telemetry.track(
      ACTION,
      { pluginName: "PostgreSQL", timeElapsed: 8, query: "SELECT 1" },
      { userId: "ada" },
    );
    await telemetry.flush({ timeoutMs: 10_000 });
    const { instanceId } = telemetry.status();
    expect(instanceId).toMatch(UUID_8);
    expect(messages()).toEqual([
      {
        type: "track",
        event: ACTION,
        messageId: expect.stringMatching(UUID),
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        anonymousId: instanceId,
        userId: expect.stringMatching(/^[0-9a-f]{64}$/),
        properties: { pluginName: "PostgreSQL", timeElapsed: 8, instanceId },
        context: { library: { name: "@candor/node", version: "0.1.0" } },
        candor: { planVersion: REFERENCE_PLAN.version },
      },
    ]);
    expect(telemetry.status().counts).toEqual({
      kept: 1,
      dropped: {},
      trimmed: { "properties.* undeclared": 1 },
    });
  });

  it("sets the instance's id where the plan declares it, unless the product passed one", async () => {
    const text = JSON.stringify(APPSMITH.content)
      .replaceAll('"instanceId"', '"install"')
      .replaceAll("properties.instanceId", "properties.install");
    const plan = { hash: APPSMITH.hash, content: JSON.parse(text) };
    const { telemetry, messages } = openForTest({ plan });
    const own = "612460418944011a10fa5b00";
    telemetry.track(ACTION, {});
    telemetry.track(ACTION, { install: own });
    await telemetry.flush({ timeoutMs: 10_000 });
    const { instanceId } = telemetry.status();
    expect(messages().map(({ properties }) => properties)).toEqual([
      { install: instanceId },
      { install: own },
    ]);
  });

  it("hashes what the plan wants hashed with the instance's own secret: the same here, different elsewhere", async () => {
    const one = openForTest();
    const other = openForTest();
    for (const { telemetry } of [one, one, other]) {
      telemetry.track(ACTION, { username: "ada@example.org" }, { userId: "ada@example.org" });
      await telemetry.flush({ timeoutMs: 10_000 });
    }
    const [first, second] = one.messages();
    const [third] = other.messages();
    expect(second?.userId).toBe(first?.userId);
    expect(first?.properties?.username).toBe(first?.userId);
    expect(third?.userId).not.toBe(first?.userId);
    const bytes = readdirSync(one.dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
      .join("");
    expect(bytes.includes("ada@example.org")).toBe(false);
  });

  it.each([
    ["an event that is not declared", "Nope", {}, "event_not_in_plan"],
    ["an event of another source", "APPLICATIONS_PAGE_LOAD", {}, "wrong_source"],
    [
      "an event whose required property is invalid",
      ACTION,
      { instanceId: "Ada's laptop" },
      "required_missing",
    ],
    ["no name at all", undefined, {}, "event_not_in_plan"],
  ])("drops %s, and counts it", async (_what, event, properties, reason) => {
    const { telemetry, messages } = openForTest();
    telemetry.track(event as string, properties);
    expect(telemetry.status().counts).toEqual({ kept: 0, dropped: { [reason]: 1 }, trimmed: {} });
    await telemetry.flush({ timeoutMs: 10_000 });
    expect(messages()).toEqual([]);
  });

  it("drops a message that would have no id, and says what the plan must declare", () => {
    const content = structuredClone(APPSMITH.content) as { sources: { server: { ids: object } } };
    content.sources.server.ids = {};
    const { telemetry } = openForTest({ plan: { ...APPSMITH, content } });
    telemetry.track(ACTION, {}, { userId: "ada" });
    expect(telemetry.status().counts.dropped).toEqual({ no_user_anon_id: 1 });
  });

  it("hashes a userId even if the plan would accept it unhashed", async () => {
    const content = structuredClone(APPSMITH.content) as { sources: { server: { ids: { userId: object } } } };
    const { ids } = content.sources.server;
    ids.userId = { ...ids.userId, hash: false, maxLength: 20, pattern: "[a-z]+" };
    const { telemetry, messages } = openForTest({ plan: { ...APPSMITH, content } });
    telemetry.track(ACTION, {}, { userId: "ada" });
    await telemetry.flush({ timeoutMs: 10_000 });
    expect(messages().map(({ userId }) => userId)).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
  });

  it("never throws, whatever is passed", async () => {
    const { telemetry, messages } = openForTest();
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    const throwing = {
      get pluginName(): string {
        throw new Error("no");
      },
    };
    const odd: readonly unknown[] = [
      null,
      1,
      "text",
      [],
      cyclic,
      throwing,
      new Map(),
      () => {},
      1n,
      Symbol("x"),
    ];
    for (const value of odd) {
      telemetry.track(ACTION, value as object, value as object);
      telemetry.track(value as string, {}, {});
      telemetry.identify(value as string, value as object);
      telemetry.keepAlive(value as { healthy: () => boolean });
    }
    await telemetry.flush({ timeoutMs: 10_000 });
    expect(messages().every(({ event }) => event === ACTION)).toBe(true);
    expect(telemetry.status().counts.dropped).toMatchObject({ unreadable: 1 });
    expect(telemetry.status().state).toBe("on");
  });

  it("writes what the plan has checked, not what toJSON makes of it", async () => {
    class Sneaky {
      pluginName = "PostgreSQL";
      toJSON(): object {
        return { pluginName: "ada@example.org", secret: "x" };
      }
    }
    const { telemetry, messages } = openForTest();
    telemetry.track(ACTION, new Sneaky());
    await telemetry.flush({ timeoutMs: 10_000 });
    expect(messages()[0]?.properties).toMatchObject({ pluginName: "PostgreSQL" });
    expect(JSON.stringify(messages())).not.toMatch(/ada@|secret/);
  });

  it("makes the folder and its files accessible only to this user", async () => {
    const { telemetry, dir } = openForTest();
    telemetry.track(ACTION, {});
    await telemetry.flush({ timeoutMs: 10_000 });
    const modes = readdirSync(dir, { recursive: true, withFileTypes: true }).map((entry) => {
      const { mode } = statSync(join(entry.parentPath, entry.name));
      return `${entry.isDirectory() ? "d" : "-"}${(mode & 0o777).toString(8)}`;
    });
    expect(new Set(modes)).toEqual(new Set(["d700", "-600"]));
    expect(statSync(dir).mode & 0o777).toBe(0o700);
  });
});

describe("consent", () => {
  it.each([
    ["the product's switch", { APPSMITH_DISABLE_TELEMETRY: "true" }, "environment_disable"],
    ["the product's mode", { ...SWITCH_OFFERED, APPSMITH_TELEMETRY: "off" }, "environment_off"],
    ["DO_NOT_TRACK", { ...SWITCH_OFFERED, DO_NOT_TRACK: "1" }, "environment_do_not_track"],
    ["no notice and no answer", {}, "notice_missing"],
  ])("is missing or denied with %s: no file, no id, nothing is kept", async (_what, environment, reason) => {
    const { telemetry, files } = openForTest({ environment });
    telemetry.track(ACTION, {});
    telemetry.keepAlive({ healthy: () => true });
    expect(await telemetry.flush()).toBe(true);
    expect(telemetry.status()).toMatchObject({ state: "off", reason, instanceId: undefined });
    expect(telemetry.status().counts.dropped).toEqual({ off: 1 });
    expect(files()).toEqual([]);
  });

  it("is denied by a stored No, which erases everything but the answer", () => {
    const world = openForTest({
      before: (dir) => {
        stored(receipt("no"))(dir);
        mkdirSync(join(dir, "outbox"));
        writeFileSync(join(dir, "outbox", "server-notice-20261101T000000Z-aa.ndjson"), "{}\n");
        writeFileSync(join(dir, "instance.json"), '{"hashSecret":"x"}');
      },
    });
    expect(world.telemetry.status()).toMatchObject({ state: "off", reason: "stored_no" });
    expect(world.files()).toEqual(["receipts.ndjson"]);
  });

  it("is denied by a policy of the machine, but only as long as it exists", async () => {
    const denied = openForTest({
      before: (dir) => {
        mkdirSync(dir, { recursive: true });
        writeFileSync(join(dir, "no-policy"), "# all\noff\n");
      },
    });
    expect(denied.telemetry.status()).toMatchObject({ state: "off", reason: "policy_off" });
    rmSync(join(denied.dir, "no-policy"));
    expect(denied.telemetry.status().state).toBe("on");
  });

  it("is recorded once, with the plan, if a switch in the environment was offered", () => {
    const { telemetry, dir } = openForTest();
    telemetry.status();
    const { version } = APPSMITH.content as { version: number };
    expect(readFileSync(join(dir, "receipts.ndjson"), "utf8")).toMatch(
      new RegExp(
        `^\\{"source":"server","answer":"notice","time":"[^"]+","planVersion":${version},"planHash":"${APPSMITH.hash}","by":"environment"\\}\\n$`,
      ),
    );
  });

  it("is given by the opt-in variable only where the rule is opt-in", () => {
    const { core, dir } = openForTest({
      environment: { ...SWITCH_OFFERED, APPSMITH_CLIENT_TELEMETRY: "true" },
    });
    core.addSource("client", "client_key");
    const answers = readFileSync(join(dir, "receipts.ndjson"), "utf8").trim().split("\n");
    expect(answers.map((line) => JSON.parse(line))).toMatchObject([
      { source: "server", answer: "notice", by: "environment" },
      { source: "client", answer: "yes", by: "environment" },
    ]);
    const withoutNotice = openForTest({ environment: { APPSMITH_CLIENT_TELEMETRY: "true" } });
    expect(withoutNotice.telemetry.status()).toMatchObject({ state: "off", reason: "notice_missing" });
    expect(withoutNotice.files()).toEqual([]);
  });

  it("ends at once with a No: waiting messages are gone, and ids are new after a later Yes", async () => {
    const recorder = await startRecorder();
    const { telemetry, files, messages } = openForTest({ host: recorder.url, sendEveryMs: 60_000 });
    const before = telemetry.status().instanceId;
    telemetry.track(ACTION, {});
    await vi.waitFor(() => expect(messages()).toHaveLength(1), { interval: 5 }); // before anything is sent
    telemetry.track(ACTION, {});
    expect(telemetry.answer("no")).toBe(true);
    expect(files()).toEqual(["receipts.ndjson"]);
    expect(telemetry.status()).toMatchObject({ state: "off", reason: "stored_no" });
    telemetry.track(ACTION, {});
    expect(telemetry.answer("yes")).toBe(true);
    telemetry.track(ACTION, { pluginName: "After" });
    expect(await telemetry.flush()).toBe(true);
    expect(telemetry.status().instanceId).not.toBe(before);
    expect(recorder.kept.map(({ properties }) => properties)).toMatchObject([{ pluginName: "After" }]);
    await recorder.close();
  });

  it("ends for one source with its No, which deletes that source's waiting messages at once", async () => {
    const { core, telemetry, messages } = openForTest({
      environment: { ...SWITCH_OFFERED, APPSMITH_CLIENT_TELEMETRY: "true" },
    });
    core.addSource("client", "client_key");
    telemetry.track(ACTION, {});
    const anonymousId = "0b62ab60-02ad-4f69-a181-d9c5eb2f97fa";
    const page = { type: "track", name: "APPLICATIONS_PAGE_LOAD", anonymousId } as const;
    core.record("client", { ...page, values: {}, context: {}, timestampMs: Date.now() });
    await telemetry.flush({ timeoutMs: 10_000 });
    expect(messages().map(({ event, writeKey }) => [event, writeKey])).toEqual([
      ["APPLICATIONS_PAGE_LOAD", "client_key"],
      [ACTION, undefined],
    ]);
    telemetry.answer("no", ["client"]);
    expect(messages().map(({ event }) => event)).toEqual([ACTION]);
    expect(telemetry.status().state).toBe("on");
  });

  it("is read again before anything more is sent, so that another process's answer is noticed", async () => {
    const recorder = await startRecorder();
    const { telemetry, dir, files } = openForTest({ host: recorder.url });
    telemetry.track(ACTION, {});
    await telemetry.flush();
    expect(recorder.kept).toHaveLength(1);
    writeFileSync(join(dir, "receipts.ndjson"), receipt("notice") + receipt("no"));
    telemetry.track(ACTION, {});
    await telemetry.flush();
    expect(recorder.kept).toHaveLength(1);
    expect(files()).toEqual(["receipts.ndjson"]);
    await recorder.close();
  });

  it("belongs to a new instance after the folder was deleted at run time", async () => {
    const { telemetry, dir, messages } = openForTest();
    telemetry.track(ACTION, {});
    await telemetry.flush({ timeoutMs: 10_000 });
    const before = telemetry.status().instanceId;
    rmSync(dir, { recursive: true });
    telemetry.status();
    telemetry.track(ACTION, {});
    await telemetry.flush({ timeoutMs: 10_000 });
    const { instanceId } = telemetry.status();
    expect(instanceId).not.toBe(before);
    expect(messages().map(({ anonymousId }) => anonymousId)).toEqual([instanceId]);
  });

  it("covers nothing that is newer than the answer, which is withheld, while the rest is sent", async () => {
    const clock = createManualClock(Date.parse("2026-11-23T12:00:00Z"));
    const { telemetry, messages } = openForTest({
      clock,
      before: stored(receipt("notice", { planVersion: 1, planHash: "0".repeat(64) })),
    });
    telemetry.keepAlive({ healthy: () => true });
    await clock.advance(10 * 60_000);
    await telemetry.flush({ timeoutMs: 10_000 });
    // `boot` was added in version 2 of the plan.
    expect(messages().map(({ properties }) => Object.keys(properties ?? {}))).toEqual([["instanceId"]]);
  });

  it("is replaced by printing in log mode, which neither keeps nor sends", async () => {
    const recorder = await startRecorder();
    const { telemetry, printed, files } = openForTest({
      host: recorder.url,
      environment: { ...SWITCH_OFFERED, APPSMITH_TELEMETRY: "log" },
    });
    telemetry.track(ACTION, { pluginName: "PostgreSQL", secret: "x" });
    await telemetry.flush();
    expect(telemetry.status().state).toBe("log");
    expect(printed.map((line) => JSON.parse(line).properties.pluginName)).toEqual(["PostgreSQL"]);
    expect(printed.join("")).not.toContain("secret");
    expect(files()).toEqual([]);
    expect(recorder.requests).toEqual([]);
    await recorder.close();
  });
});

describe("log mode with a stored answer", () => {
  const content = structuredClone(APPSMITH.content) as {
    events: { name: string; since: number; consent?: string }[];
  };
  const action = content.events.find(({ name }) => name === ACTION);
  if (action === undefined) throw new Error("the plan has no such event");
  content.events.push(
    { ...action, name: "Newer", since: 2 },
    { ...action, name: "Asked", consent: "opt-in" },
  );

  it.each([
    [
      "only what would be sent",
      stored(receipt("notice", { planVersion: 1, planHash: "a".repeat(64) })),
      [ACTION],
    ],
    ["everything, if nobody has answered yet", () => {}, [ACTION, "Newer", "Asked"]],
  ])("prints %s", (_what, before, names) => {
    const { telemetry, printed } = openForTest({
      plan: { ...APPSMITH, content },
      environment: { APPSMITH_TELEMETRY: "log" },
      before,
    });
    for (const name of [ACTION, "Newer", "Asked"]) telemetry.track(name, {});
    expect(printed.map((line) => JSON.parse(line).event)).toEqual(names);
  });
});

describe("unusable options", () => {
  it("leave telemetry off, and the problems say what to write instead", async () => {
    const telemetry = createTelemetry({ plan: {}, source: "client", host: "nowhere" } as never);
    telemetry.track("x", {});
    await telemetry.flush();
    expect(telemetry.status()).toMatchObject({ state: "off", reason: "options_invalid" });
    expect(telemetry.status().problems.map((problem) => problem.split(":")[0])).toEqual([
      "plan",
      "source",
      "writeKey",
      "host",
      "stateDir",
    ]);
    expect(createTelemetry(undefined as never).status().state).toBe("off");
  });

  it("include a folder that cannot be written to, which is reported once and never thrown", () => {
    const { telemetry, told, files } = openForTest({ stateDir: "/dev/null/telemetry" });
    telemetry.track(ACTION, {});
    telemetry.track(ACTION, {});
    expect(telemetry.status()).toMatchObject({ state: "off", reason: "state_unwritable" });
    expect(told).toEqual(["The state folder cannot be used (ENOTDIR); telemetry is off until it can."]);
    expect(files()).toEqual([]);
  });
});
