import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { GeneratedPlan } from "./generated-plan.ts";
import { KeepAliveLoop, type KeepAliveOptions, type KeepAliveState } from "./keep-alive.ts";
import { APPSMITH, makeFolderForTest, openForTest, type World } from "./rig/in-process.ts";
import { createManualClock, type ManualClock } from "./rig/manual-clock.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const START_MS = Date.parse("2026-11-23T12:00:00Z");

function open(
  clock: ManualClock,
  stateDir: string,
  keepAlive: KeepAliveOptions = { healthy: () => true },
): World {
  const world = openForTest({ clock, stateDir, sendEveryMs: 10_000 * HOUR_MS, random: () => 0.5 });
  world.telemetry.keepAlive(keepAlive);
  return world;
}

async function pings(world: World): Promise<readonly { readonly atMs: number; readonly boot: unknown }[]> {
  await world.telemetry.flush({ timeoutMs: 10_000 });
  return world.messages().map(({ event, timestamp, properties }) => {
    expect(event).toBe("Instance Active");
    expect(properties?.instanceId).toBe(world.telemetry.status().instanceId);
    return { atMs: Date.parse(String(timestamp)) - START_MS, boot: properties?.boot };
  });
}

it("sends a heartbeat a few minutes after the start, then every six hours with jitter", async () => {
  const clock = createManualClock(START_MS);
  const world = open(clock, makeFolderForTest());
  await clock.advance(2 * MINUTE_MS);
  expect(await pings(world)).toEqual([]);
  await clock.advance(24 * HOUR_MS);
  const made = await pings(world);
  const everyMs = 6 * HOUR_MS + 0.05 * 0.5 * 6 * HOUR_MS;
  const firstMs = 3.5 * MINUTE_MS;
  expect(made.map(({ atMs }) => atMs)).toEqual([0, 1, 2, 3].map((n) => firstMs + n * everyMs));
  expect(new Set(made.map(({ boot }) => boot)).size).toBe(1);
  expect(made[0]?.boot).toMatch(/^[0-9a-f]{16}$/);
});

it("sends none while the product is not healthy, does not know, or throws", async () => {
  for (const healthy of [
    () => false,
    () => Promise.resolve(false),
    () => Promise.reject(new Error("no")),
    () => "yes" as unknown as boolean,
    (): boolean => {
      throw new Error("no");
    },
  ]) {
    const clock = createManualClock(START_MS);
    const world = open(clock, makeFolderForTest(), { healthy });
    await clock.advance(20 * HOUR_MS);
    expect(await pings(world)).toEqual([]);
  }
});

it("sends one soon after the product is healthy again", async () => {
  const clock = createManualClock(START_MS);
  let isHealthy = false;
  const world = open(clock, makeFolderForTest(), { healthy: () => isHealthy });
  await clock.advance(2 * HOUR_MS);
  isHealthy = true;
  await clock.advance(6 * MINUTE_MS);
  expect(await pings(world)).toHaveLength(1);
});

it("sends no more of them if the process restarts, and uses another nonce then", async () => {
  const clock = createManualClock(START_MS);
  const dir = makeFolderForTest();
  let world = open(clock, dir);
  for (let start = 0; start < 20; start += 1) {
    await clock.advance(MINUTE_MS);
    expect(await pings(world)).toEqual([]);
    world.core.close();
    world = open(clock, dir);
  }
  await clock.advance(4 * MINUTE_MS);
  expect(await pings(world)).toHaveLength(1);
  for (let start = 0; start < 5; start += 1) {
    world.core.close();
    world = open(clock, dir);
    await clock.advance(HOUR_MS);
  }
  expect(await pings(world)).toHaveLength(1);
  await clock.advance(2 * HOUR_MS);
  const made = await pings(world);
  expect(made).toHaveLength(2);
  expect(made[0]?.boot).not.toBe(made[1]?.boot);
});

it("sends one for all replicas on a folder", async () => {
  const clock = createManualClock(START_MS);
  const dir = makeFolderForTest();
  const worlds = [open(clock, dir), open(clock, dir), open(clock, dir)];
  await clock.advance(30 * HOUR_MS);
  for (const { telemetry } of worlds) await telemetry.flush({ timeoutMs: 10_000 });
  const made = await pings(worlds[0] as World);
  expect(made.length).toBeGreaterThanOrEqual(4);
  expect(made.length).toBeLessThanOrEqual(5);
  const times = made.map(({ atMs }) => atMs).sort((one, other) => one - other);
  for (const [index, atMs] of times.slice(1).entries()) {
    expect(atMs - (times[index] ?? 0)).toBeGreaterThanOrEqual(6 * HOUR_MS);
  }
  expect(new Set(made.map(({ boot }) => boot)).size).toBe(1);
});

it.each([
  ["forward", 24 * HOUR_MS],
  ["back", -24 * HOUR_MS],
])("continues every six hours if the clock jumps %s by a day", async (_where, jumpMs) => {
  const clock = createManualClock(START_MS);
  const world = open(clock, makeFolderForTest());
  await clock.advance(HOUR_MS);
  clock.jump(jumpMs);
  await clock.advance(24 * HOUR_MS);
  const made = await pings(world);
  expect(made.length).toBeGreaterThanOrEqual(4);
  expect(made.length).toBeLessThanOrEqual(5);
});

it("continues if its file contains nonsense", async () => {
  const clock = createManualClock(START_MS);
  const dir = makeFolderForTest();
  writeFileSync(join(dir, "keep-alive.json"), '{"lastAt":"soon","boot":7}');
  const world = open(clock, dir);
  await clock.advance(10 * MINUTE_MS);
  expect(await pings(world)).toHaveLength(1);
  expect(JSON.parse(readFileSync(join(dir, "keep-alive.json"), "utf8"))).toEqual({
    lastAt: "2026-11-23T12:03:30.000Z",
    boot: expect.stringMatching(/^[0-9a-f]{16}$/),
  });
});

it("stops with a No, and starts again after a Yes", async () => {
  const clock = createManualClock(START_MS);
  const world = open(clock, makeFolderForTest());
  world.telemetry.answer("no");
  expect(clock.planned()).toBe(0);
  await clock.advance(12 * HOUR_MS);
  world.telemetry.answer("yes");
  await clock.advance(5 * MINUTE_MS);
  expect((await pings(world)).map(({ atMs }) => atMs)).toEqual([12 * HOUR_MS + 3.5 * MINUTE_MS]);
});

it("prints in log mode what would be sent, and writes nothing", async () => {
  const clock = createManualClock(START_MS);
  const world = openForTest({
    clock,
    random: () => 0.5,
    environment: { APPSMITH_DISABLE_TELEMETRY: "false", APPSMITH_TELEMETRY: "log" },
  });
  world.telemetry.keepAlive({ healthy: () => true });
  await clock.advance(7 * HOUR_MS);
  const printed = world.printed.map((line) => JSON.parse(line));
  expect(printed.map(({ event }) => event)).toEqual(["Instance Active", "Instance Active"]);
  expect(printed[0].properties.boot).toMatch(/^[0-9a-f]{16}$/);
  expect(world.files()).toEqual([]);
});

it.each<[what: string, spoil: (dir: string) => void, mend: (dir: string) => void]>([
  [
    "that cannot store the time of the last heartbeat",
    (dir) => {
      rmSync(join(dir, "keep-alive.json"));
      mkdirSync(join(dir, "keep-alive.json"));
    },
    (dir) => rmSync(join(dir, "keep-alive.json"), { recursive: true }),
  ],
  [
    "whose lease cannot be taken",
    (dir) => mkdirSync(join(dir, "keep-alive.lease")),
    (dir) => rmSync(join(dir, "keep-alive.lease"), { recursive: true }),
  ],
  [
    "that is a file for a while",
    (dir) => {
      renameSync(dir, `${dir}-away`);
      writeFileSync(dir, "");
    },
    (dir) => {
      rmSync(dir);
      renameSync(`${dir}-away`, dir);
    },
  ],
])(
  "continues by itself after a folder %s, in a product that makes no other call",
  async (_what, spoil, mend) => {
    const clock = createManualClock(START_MS);
    const dir = join(makeFolderForTest(), "telemetry");
    const world = open(clock, dir);
    spoil(dir);
    await clock.advance(20 * MINUTE_MS);
    mend(dir);
    await clock.advance(20 * MINUTE_MS);
    await new Promise((resolve) => setTimeout(resolve, 60)); // the outbox gathers lines in real time
    const made = readFileSync(join(dir, "keep-alive.json"), "utf8");
    expect(JSON.parse(made)).toHaveProperty("lastAt");
    expect(world.messages().map(({ event }) => event)).toEqual(["Instance Active"]);
  },
);

it("sends the product's facts, as far as the plan declares them, even if they throw", async () => {
  let count = 0;
  const facts = (): object => {
    count += 1;
    if (count === 3) throw new Error("no database");
    return { version: `1.${count}.0`, undeclared: 7, boot: "mine" };
  };
  const clock = createManualClock(START_MS);
  const world = openForTest({ clock });
  world.telemetry.keepAlive({ everyHours: 1, healthy: () => true, facts });
  expect(world.telemetry.status().problems).toEqual([
    'keepAlive.facts: the plan\'s event "Instance Active" does not declare `undeclared`.',
  ]);
  await clock.advance(2.5 * HOUR_MS);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(world.messages().map(({ properties }) => properties)).toEqual(
    ["1.2.0", undefined, "1.4.0"].map((of) => ({
      boot: expect.stringMatching(/^[0-9a-f]{16}$/),
      environment: "production",
      instanceId: world.telemetry.status().instanceId,
      ...(of === undefined ? {} : { version: of }),
    })),
  );
});

it("plans nothing more for a folder that failed, once telemetry is closed or refused", async () => {
  for (const end of [
    (world: World) => world.telemetry.close(),
    (world: World) => world.telemetry.answer("no"),
  ]) {
    const clock = createManualClock(START_MS);
    const dir = join(makeFolderForTest(), "telemetry");
    writeFileSync(dir, "");
    const world = open(clock, dir);
    expect([world.telemetry.status().reason, clock.planned()]).toEqual(["state_unwritable", 1]);
    await end(world);
    expect(clock.planned()).toBe(0);
  }
});

type Fields = Record<string, Record<string, unknown>>;

function planWith(change: (fields: Fields, event: Record<string, unknown>) => void): GeneratedPlan {
  const content = structuredClone(APPSMITH.content) as { events: { name?: string; fields: Fields }[] };
  for (const event of content.events)
    if (event.name === "Instance Active") change(event.fields, event as unknown as Record<string, unknown>);
  return { ...APPSMITH, content };
}

it.each<[what: string, plan: GeneratedPlan, problems: readonly RegExp[]]>([
  ["nothing", APPSMITH, []],
  ["a boot that is not declared", planWith((fields) => delete fields.boot), []],
  [
    "properties that are required and not sent",
    planWith((fields) =>
      Object.assign(fields, {
        version: { ...fields.boot, required: true },
        os: { ...fields.boot, required: true },
      }),
    ),
    [/requires `version`.*every heartbeat is dropped/, /requires `os`/],
  ],
  [
    "a boot of another type, which is required",
    planWith((fields) =>
      Object.assign(fields, { boot: { ...fields.boot, type: "boolean", required: true } }),
    ),
    [/every heartbeat is dropped \(required_missing\)/],
  ],
  [
    "a boot of another form",
    planWith((fields) =>
      Object.assign(fields, { boot: { ...fields.boot, pattern: "[0-9]{3}", required: false } }),
    ),
    [/takes `properties.boot` out of each heartbeat/],
  ],
  [
    "an expired event",
    planWith((_fields, event) => Object.assign(event, { expires: "2020-01-01" })),
    [/\(event_expired\)/],
  ],
])("says at once if the plan does not accept what is sent: %s", (_what, plan, expected) => {
  const clock = createManualClock(START_MS);
  const { telemetry, told } = openForTest({ clock, plan });
  telemetry.keepAlive({ healthy: () => true });
  const { problems } = telemetry.status();
  expect(problems.length).toBe(expected.length);
  for (const [at, pattern] of expected.entries()) expect(problems[at]).toMatch(pattern);
  expect(told).toEqual(problems);
});

it("gives a heartbeat the time from which the next one is counted, however slowly the folder is written", async () => {
  const clock = createManualClock(START_MS);
  let kept: KeepAliveState = { lastAtMs: undefined, boot: undefined };
  const made: number[] = [];
  const loop = new KeepAliveLoop({
    place: {
      read: () => kept,
      write: (state) => {
        kept = state;
        clock.jump(50);
      },
      take: () => Promise.resolve(true),
      release: () => {},
    },
    clock,
    random: () => 0,
    keepAlive: { healthy: () => true },
    update: () => {},
    signal: new AbortController().signal,
    ping: (_boot, atMs) => made.push(atMs),
    onFault: (error) => {
      throw error;
    },
  });
  loop.start();
  await clock.advance(3 * MINUTE_MS);
  expect(made).toEqual([kept.lastAtMs]);
});
