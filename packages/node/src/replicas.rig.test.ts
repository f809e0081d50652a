import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { EVENT, eventually, makeRigFolder, numbersKept, QUIET, range, startChild } from "./rig/child.ts";
import { type RecordedMessage, type Recorder, startRecorder } from "./rig/recorder.ts";

const HOUR_MS = 60 * 60_000;
/** At this speed an hour lasts three seconds. */
const SPEED = 1200;
/**
 * How much less than an hour, by the products' fast clock, two heartbeats may be apart: 3 ms of real time,
 * because Node's timers may fire a millisecond early, and a message is created a moment after its time was
 * stored.
 */
const EARLY_MS = 3 * SPEED;

const ends: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of ends.splice(0)) await end();
});

async function recorderOf(): Promise<Recorder> {
  const recorder = await startRecorder();
  ends.push(() => recorder.close());
  return recorder;
}

const stateDirOf = (): string => join(makeRigFolder(), "telemetry");

/** Returns each heartbeat once, oldest first. */
function signsOfLife({ kept }: Recorder): readonly RecordedMessage[] {
  const messages = new Map(kept.map((message) => [message.messageId, message]));
  return [...messages.values()]
    .filter(({ event }) => event === "Instance Active")
    .sort((one, other) => timeOf(one) - timeOf(other));
}

const timeOf = ({ timestamp }: RecordedMessage): number => Date.parse(String(timestamp));

/** For each file of an outbox, the numbers of the child's events in it, in order. */
function numbersByFile(stateDir: string): readonly (readonly number[])[] {
  const outbox = join(stateDir, "outbox");
  return readdirSync(outbox)
    .filter((name) => name.endsWith(".ndjson"))
    .map((name) =>
      readFileSync(join(outbox, name), "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).properties.timeElapsed),
    );
}

describe("three processes on one folder", () => {
  it("are one instance with an outbox file each, and everything is delivered once", async () => {
    const recorder = await recorderOf();
    const stateDir = stateDirOf();
    const children = [0, 1, 2].map((replica) =>
      startChild({
        stateDir,
        host: recorder.url,
        speed: 5,
        program: `
          for (let n = ${replica * 200}; n < ${replica * 200 + 200}; n += 10) { track(n, n + 10); await sleep(20); }
          await hear("end");`,
      }),
    );
    await eventually(() => numbersKept(recorder).length === 600);
    for (const child of children) {
      child.say("end");
      expect(await child.ended).toEqual(QUIET);
    }
    expect(recorder.kept).toHaveLength(600);
    expect(numbersKept(recorder)).toEqual(range(0, 600));
    expect(new Set(recorder.kept.map(({ anonymousId }) => anonymousId)).size).toBe(1);
    const files = [...numbersByFile(stateDir)].sort(([one = 0], [other = 0]) => one - other);
    expect(files).toEqual([range(0, 200), range(200, 400), range(400, 600)]);
    expect(readdirSync(stateDir).sort()).toEqual([
      "delivery.json",
      "instance.json",
      "outbox",
      "plan.json",
      "receipts.ndjson",
    ]);
  });

  it("send one heartbeat per interval, even if one of them restarts all the time", async () => {
    const recorder = await recorderOf();
    const stateDir = stateDirOf();
    const start = () =>
      startChild({
        stateDir,
        host: recorder.url,
        speed: SPEED,
        program: 'telemetry.keepAlive({ everyHours: 1, healthy: () => true }); await hear("end");',
      });
    const lasting = [start(), start()];
    let restarts = 0;
    while (signsOfLife(recorder).length < 4) {
      const child = start();
      await sleep(600);
      await child.kill();
      restarts += 1;
      expect(restarts).toBeLessThan(60);
    }
    for (const child of lasting) {
      child.say("end");
      expect(await child.ended).toEqual(QUIET);
    }
    const signs = signsOfLife(recorder);
    const gapsMs = signs.slice(1).map((sign, index) => timeOf(sign) - timeOf(signs[index] ?? sign));
    expect(gapsMs.filter((gapMs) => gapMs < HOUR_MS - EARLY_MS)).toEqual([]);
    expect(new Set(signs.map(({ anonymousId }) => anonymousId)).size).toBe(1);
    expect(restarts).toBeGreaterThan(signs.length); // more starts than heartbeats
  });

  it("send none if they are not healthy, or if their health check throws or hangs", async () => {
    const recorder = await recorderOf();
    const start = (healthy: string) =>
      startChild({
        stateDir: stateDirOf(),
        host: recorder.url,
        speed: 6000, // an hour is 600 ms
        program: `
          let asked = 0;
          telemetry.keepAlive({ everyHours: 1, healthy: () => { asked += 1; ${healthy} } });
          while (asked < 1) await sleep(10);
          await sleep(300);
          track(0, 1);
          tell(await telemetry.flush());`,
      });
    const children = ["return false", "throw new Error()", "return Promise.reject(1)", 'return "yes"'].map(
      start,
    );
    for (const child of [...children, start("return new Promise(() => {})")])
      expect(await child.ended).toEqual(QUIET);
    expect(new Set(recorder.kept.map(({ event }) => event))).toEqual(new Set([EVENT]));
  });
});

describe("two versions of a product on one folder", () => {
  it("are one instance, and lose no message, while the older one's plan no longer has an answer", async () => {
    const recorder = await recorderOf();
    const stateDir = stateDirOf();
    const held = { isHeld: true };
    recorder.answer = (_request, response) => {
      if (held.isHeld) response.writeHead(503).end("{}");
      return held.isHeld;
    };
    const start = (program: string, before = "") =>
      startChild({ stateDir, host: recorder.url, speed: 20, program, before });
    const older = (from: number) => `
      track(${from}, ${from + 50});
      await sleep(200);
      tell("tracked");
      await hear("go");
      tell(telemetry.status().reason ?? "on");
      await hear("end");`;
    const first = start(older(0));
    await first.tells("tracked");
    const newer = start(
      `telemetry.answer("yes");
       for (let n = 100; n < 600; n += 10) { track(n, n + 10); await sleep(10); }
       tell("tracked");
       await hear("end");`,
      'options.plan = { hash: "e".repeat(64), content: { ...plan.content, version: plan.content.version + 1 } };',
    );
    // A rollback: this process starts with the older plan while the folder holds the answer for the newer
    // plan.
    const rolledBack = start(
      'for (let n = 0; n < 100; n++) { track(n, n + 1); telemetry.status(); await sleep(5); } tell(telemetry.status().reason); await hear("end");',
    );
    await newer.tells("tracked");
    await rolledBack.tells("consent_stale");
    first.say("go");
    await first.tells("consent_stale");
    held.isHeld = false;
    await eventually(() => numbersKept(recorder).filter((number) => number >= 100).length === 500);
    for (const child of [first, newer, rolledBack]) {
      child.say("end");
      expect(await child.ended).toEqual(QUIET);
    }
    const numbers = numbersKept(recorder);
    expect(range(0, 50).filter((number) => !numbers.includes(number))).toEqual([]);
    expect(range(100, 600).filter((number) => !numbers.includes(number))).toEqual([]);
    expect(new Set(recorder.kept.map(({ anonymousId }) => anonymousId)).size).toBe(1);
  });
});

describe("the process that sends", () => {
  it("is replaced by another if it is killed while sending", async () => {
    const recorder = await recorderOf();
    const held: number[] = [];
    recorder.answer = ({ path, messages }, response) => {
      if (path !== "/v1/batch" || held.length > 0) return undefined;
      held.push(messages.length);
      response.on("error", () => {});
      return true; // never answered: the sender holds the lease until it is killed
    };
    const stateDir = stateDirOf();
    const first = startChild({
      stateDir,
      host: recorder.url,
      speed: 20, // the lease lasts 1.5 s
      program: 'track(0, 50); await hear("end");',
    });
    await eventually(() => held.length > 0);
    const { holder } = JSON.parse(readFileSync(join(stateDir, "sender.lease"), "utf8"));
    await first.kill();
    const second = startChild({
      stateDir,
      host: recorder.url,
      speed: 20,
      program: 'track(50, 100); await hear("end");',
    });
    await sleep(300);
    const lease = JSON.parse(readFileSync(join(stateDir, "sender.lease"), "utf8"));
    const keptEarly = recorder.kept.length;
    await eventually(() => numbersKept(recorder).length === 100);
    second.say("end");
    expect(await second.ended).toEqual(QUIET);
    expect([lease.holder, keptEarly]).toEqual([holder, 0]); // the lease was respected until it expired
    expect(numbersKept(recorder)).toEqual(range(0, 100));
    expect(recorder.kept).toHaveLength(100);
    expect(readdirSync(stateDir)).not.toContain("sender.lease");
  });
});
