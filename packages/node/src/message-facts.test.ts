import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { GeneratedPlan } from "./generated-plan.ts";
import { APPSMITH, openForTest, SWITCH_OFFERED, type World, type WorldOptions } from "./rig/in-process.ts";
import { createManualClock } from "./rig/manual-clock.ts";

const ACTION = "execute_ACTION_TRIGGERED";
const ACTIVE = "Instance Active";
const INSTALL_ID = "0123456789abcdef0123456789abcdef";

function planWithFacts(): GeneratedPlan {
  const content = structuredClone(APPSMITH.content) as {
    events: { sources: string[]; fields: Record<string, object> }[];
  };
  for (const { sources, fields } of content.events) {
    if (!sources.includes("server")) continue;
    const [like] = Object.values(fields);
    const text = {
      ...like,
      type: "string",
      format: "text",
      maxLength: 64,
      pattern: undefined,
      enum: undefined,
    };
    Object.assign(fields, {
      version: { ...text, required: false, hash: false },
      environment: { ...text, required: false, hash: false },
      installId: { ...text, required: false, hash: false },
    });
  }
  return { ...APPSMITH, content };
}

function open(options: WorldOptions): World {
  return openForTest({ plan: planWithFacts(), ...options });
}

async function propertiesOf({ messages }: World): Promise<readonly unknown[]> {
  await expect.poll(() => messages().length, { timeout: 10_000 }).toBeGreaterThan(0);
  return messages().map(({ properties }) => properties);
}

describe("properties that are common to all events", () => {
  it("are passed once, and give way to what a call passes", async () => {
    const world = open({ common: { version: "1.9.2", secret: "not declared" } });
    world.telemetry.track(ACTION, { timeElapsed: 1 });
    world.telemetry.track(ACTION, { timeElapsed: 2, version: "2.0.0" });
    const [first, second] = await propertiesOf(world);
    expect(first).toMatchObject({ version: "1.9.2", timeElapsed: 1 });
    expect(first).not.toHaveProperty("secret");
    expect(second).toMatchObject({ version: "2.0.0", timeElapsed: 2 });
    expect(world.telemetry.status().counts.trimmed).toEqual({});
  });

  it("can come from a function, which is called for each event and may fail", async () => {
    let count = 0;
    const world = open({
      common: () => {
        count += 1;
        if (count === 2) throw new Error("the database is away");
        return { version: `1.${count}` };
      },
    });
    for (let n = 0; n < 3; n += 1) world.telemetry.track(ACTION, { timeElapsed: n });
    const versions = (await propertiesOf(world)).map((given) => (given as { version?: string }).version);
    expect(versions).toEqual(["1.1", undefined, "1.3"]);
  });

  it("are a problem if they are not an object", () => {
    const { telemetry } = open({ common: 7 as never });
    expect(telemetry.status().problems).toEqual([
      "common: give an object of properties, or a function that returns one.",
    ]);
  });
});

describe("the environment that a product runs in", () => {
  it.each([
    ["production", {}, undefined],
    ["development", { NODE_ENV: "development" }, undefined],
    ["test", { NODE_ENV: "test" }, undefined],
    ["production", { NODE_ENV: "staging" }, undefined],
    ["ci", { CI: "true", NODE_ENV: "test" }, undefined],
    ["ci", { TF_BUILD: "True" }, undefined],
    ["development", { CI: "true" }, { environment: "development" }],
  ])("is %s with %j, if the product passes %j", async (expected, variables, common) => {
    const world = open({ environment: { ...SWITCH_OFFERED, ...variables }, ...(common && { common }) });
    world.telemetry.track(ACTION, { timeElapsed: 1 });
    expect((await propertiesOf(world))[0]).toMatchObject({ environment: expected });
  });

  it("is not sent if the plan does not declare it", async () => {
    const world = openForTest({ common: { edition: "community" } });
    world.telemetry.track(ACTION, { timeElapsed: 1 });
    const [given] = await propertiesOf(world);
    expect(Object.keys(given as object).sort()).toEqual(["instanceId", "timeElapsed"]);
  });
});

describe("the id of the install", () => {
  const write = (dir: string, text: string): void => {
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, "install.json"), text);
  };
  const openWith = (text: string, plan = planWithFacts()) => {
    const clock = createManualClock(Date.now());
    const world = openForTest({ plan, clock, before: (dir) => write(dir, text) });
    world.telemetry.keepAlive({ everyHours: 1, healthy: () => true });
    return { ...world, clock };
  };
  const heartbeats = ({ messages }: World) =>
    messages()
      .filter(({ event }) => event === ACTIVE)
      .map(({ properties }) => properties?.installId);

  it("is sent only with the first heartbeat, and its file is then deleted", async () => {
    const world = openWith(`{"installId":"${INSTALL_ID}","createdAt":"2026-11-23T12:00:00Z"}\n`);
    await world.clock.advance(3 * 60 * 60_000);
    await expect.poll(() => heartbeats(world).length, { timeout: 10_000 }).toBeGreaterThan(1);
    const [first, ...later] = heartbeats(world);
    expect([first, ...new Set(later)]).toEqual([INSTALL_ID, undefined]);
    expect(existsSync(join(world.dir, "install.json"))).toBe(false);
  });

  it.each(["{}", '{"installId":"../../etc"}', "no JSON"])(
    "is not read from a file that contains %s",
    async (text) => {
      const world = openWith(text);
      await world.clock.advance(10 * 60_000);
      await expect.poll(() => heartbeats(world), { timeout: 10_000 }).toEqual([undefined]);
    },
  );

  it("is deleted by a No", () => {
    const world = openWith(`{"installId":"${INSTALL_ID}"}\n`);
    world.telemetry.answer("no");
    expect(world.files()).toEqual(["receipts.ndjson"]);
  });
});
