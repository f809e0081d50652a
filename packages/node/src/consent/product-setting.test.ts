import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createTelemetry } from "../create-telemetry.ts";
import { openForTest, SWITCH_OFFERED } from "../rig/in-process.ts";
import { createManualClock } from "../rig/manual-clock.ts";
import { receipt, stored } from "../rig/receipt.ts";

const ACTION = "execute_ACTION_TRIGGERED";

function openWithSetting(now: boolean | undefined) {
  const setting: { now: unknown } = { now };
  const clock = createManualClock(Date.parse("2026-11-23T12:00:00Z"));
  const allowed = () => setting.now as boolean | undefined;
  return { setting, clock, ...openForTest({ allowed, clock }) };
}

describe("the product's own setting", () => {
  it("leaves no file and no id if it is false, and is the reason", () => {
    const { telemetry, files } = openWithSetting(false);
    telemetry.track(ACTION, {});
    expect(telemetry.status()).toMatchObject({
      state: "off",
      reason: "product_off",
      instanceId: undefined,
      counts: { kept: 0, dropped: { off: 1 } },
    });
    expect(files()).toEqual([]);
  });

  it("deletes waiting messages and the id when turned off; turned on again, it gives a new id", async () => {
    const { telemetry, setting, files, messages } = openWithSetting(true);
    telemetry.track(ACTION, {});
    await telemetry.flush({ timeoutMs: 10_000 });
    const before = telemetry.status().instanceId;
    expect(messages()).toHaveLength(1);
    setting.now = false;
    telemetry.track(ACTION, {});
    expect(telemetry.status().reason).toBe("product_off");
    expect(files()).toEqual(["receipts.ndjson"]);
    setting.now = true;
    expect(telemetry.status()).toMatchObject({ state: "on" });
    expect(telemetry.status().instanceId).not.toBe(before);
  });

  it("turns browsers off too", () => {
    const { core } = openForTest({
      allowed: () => false,
      before: stored(receipt("yes", { source: "client" })),
    });
    core.addSource("client", "client_key");
    expect(core.gate.allows("client")).toBe(false);
  });

  it("records nothing and deletes nothing while it is unknown", async () => {
    const { telemetry, setting, clock, messages } = openWithSetting(true);
    telemetry.track(ACTION, {});
    await telemetry.flush({ timeoutMs: 10_000 });
    const { instanceId } = telemetry.status();
    setting.now = undefined;
    expect(telemetry.status()).toMatchObject({ state: "off", reason: "product_undecided" });
    telemetry.track(ACTION, {});
    expect(messages()).toHaveLength(1);
    setting.now = true;
    await clock.advance(1000);
    telemetry.track(ACTION, {});
    await telemetry.flush({ timeoutMs: 10_000 });
    expect(telemetry.status()).toMatchObject({ state: "on", instanceId });
    expect(messages()).toHaveLength(2);
  });

  it("is soon read again while it is unknown, even if the product makes no further call", async () => {
    const { core, setting, clock } = openWithSetting(undefined);
    expect(core.session).toBeUndefined();
    setting.now = true;
    await clock.advance(10_000);
    expect(core.session).toBeDefined();
  });

  it("leaves a stored No in force while it is unknown", () => {
    const { telemetry, files } = openForTest({
      allowed: () => undefined,
      environment: {},
      before: stored(receipt("no")),
    });
    expect(telemetry.status().reason).toBe("stored_no");
    expect(files()).toEqual(["receipts.ndjson"]);
  });

  it.each([
    ["a promise", () => Promise.resolve(true)],
    ["a promise that rejects", () => Promise.reject(new Error("database"))],
    ["a text", () => "false"],
    ["a number", () => 0],
    ["null", () => null],
    [
      "a function that throws",
      () => {
        throw new Error("not loaded");
      },
    ],
  ])("counts as unknown if it is %s, and warns once", (_, allowed) => {
    const { telemetry, told } = openForTest({ allowed: allowed as never });
    for (let times = 0; times < 3; times += 1) telemetry.track(ACTION, {});
    expect(telemetry.status()).toMatchObject({ state: "off", reason: "product_undecided" });
    expect(told).toEqual([expect.stringMatching(/^`allowed`, .* neither true nor false/)]);
  });

  it("counts as unknown, and is a problem, if it is not a function", () => {
    const { telemetry } = openForTest({ allowed: true as never });
    expect(telemetry.status()).toMatchObject({ state: "off", reason: "product_undecided" });
    expect(telemetry.status().problems).toEqual([
      "allowed: give a function that returns true, false or undefined.",
    ]);
  });

  it("does not replace the operator's consent if it is true", () => {
    const { telemetry } = openForTest({ allowed: () => true, environment: {} });
    expect(telemetry.status()).toMatchObject({ state: "off", reason: "notice_missing" });
  });
});

describe("an instance key", () => {
  const KEY = "q8Zr4nV0cT6yLw2sXk9bPd3mHf7jGa1e";

  it("makes the same instance in every container, with the same hashes", () => {
    const [one, other] = [openForTest({ instanceKey: KEY }), openForTest({ instanceKey: KEY })];
    const { instanceId } = one.telemetry.status();
    expect(instanceId).toBe(other.telemetry.status().instanceId);
    expect(one.core.session?.instance.keyedHash("ada")).toBe(other.core.session?.instance.keyedHash("ada"));
    const third = openForTest({ instanceKey: KEY.toLowerCase() });
    expect(third.telemetry.status().instanceId).not.toBe(instanceId);
  });

  it("makes the same instance again after a No and a Yes", () => {
    const { telemetry } = openForTest({ instanceKey: KEY });
    const { instanceId } = telemetry.status();
    telemetry.answer("no");
    expect(telemetry.status().instanceId).toBeUndefined();
    telemetry.answer("yes");
    expect(telemetry.status()).toMatchObject({ state: "on", instanceId });
  });

  it("appears in no file, status or problem", async () => {
    const { telemetry, dir, told } = openForTest({ instanceKey: KEY });
    telemetry.track(ACTION, {});
    await telemetry.flush({ timeoutMs: 10_000 });
    const names = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    expect(names.length).toBeGreaterThan(2);
    const texts = names.map((one) => readFileSync(`${one.parentPath}/${one.name}`, "utf8"));
    expect(`${texts.join("")}${JSON.stringify([telemetry.status(), told])}`).not.toContain(KEY);
  });

  it.each([
    ["too short", "q8Zr4nV0cT6yLw2sXk9bPd3mHf7jGa1"],
    ["empty", ""],
    ["one letter, often", "x".repeat(64)],
    ["no text", 12345678901234567890123456789012n],
    ["null", null],
  ])("that is %s keeps telemetry off, and is not repeated in the problem", (_, instanceKey) => {
    const telemetry = createTelemetry({
      plan: { hash: "", content: {} },
      instanceKey: instanceKey as never,
      environment: SWITCH_OFFERED,
    } as never);
    expect(telemetry.status().state).toBe("off");
    const problems = telemetry.status().problems.filter((problem) => problem.startsWith("instanceKey"));
    expect(problems).toEqual(["instanceKey: give a secret text of at least 32 random characters."]);
  });
});
