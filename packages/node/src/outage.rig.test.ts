import { readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  eventually,
  makeRigFolder,
  numbersKept,
  QUIET,
  range,
  readDelivery,
  startChild,
} from "./rig/child.ts";
import { type RigCollector, startCollector } from "./rig/collector.ts";
import { startRecorder } from "./rig/recorder.ts";

const DAY_MS = 24 * 60 * 60_000;
const NOBODY = "http://127.0.0.1:9";

let collector: RigCollector;
beforeAll(async () => {
  collector = await startCollector(process.env.PATH ?? "");
});
afterAll(() => collector?.stop());

/**
 * Tracks `count` events with timestamps one minute apart, the first `agoMs` ago. The outbox's files look as
 * if they were last written then.
 */
async function trackedAgo(agoMs: number, count: number): Promise<{ stateDir: string; begunAtMs: number }> {
  const stateDir = join(makeRigFolder(), "telemetry");
  const begunAtMs = Date.now() - agoMs;
  const program = `
    for (let n = 0; n < ${count}; n++) {
      const timestamp = new Date(${begunAtMs} + n * 60_000);
      telemetry.track(EVENT, { timeElapsed: n }, { timestamp });
    }`;
  expect(await startChild({ stateDir, host: NOBODY, program }).ended).toEqual(QUIET);
  writtenAgo(stateDir, agoMs);
  return { stateDir, begunAtMs };
}

/** Makes the files of an outbox look as if they were last written `agoMs` ago. */
function writtenAgo(stateDir: string, agoMs: number): void {
  const outbox = join(stateDir, "outbox");
  const writtenAt = new Date(Date.now() - agoMs);
  for (const name of readdirSync(outbox)) utimesSync(join(outbox, name), writtenAt, writtenAt);
}

const DELIVER = "tell(await telemetry.flush({ timeoutMs: 20_000 }));";

describe("a collector that was away", () => {
  it("for 6.9 days gets everything when it is back, with the original times", async () => {
    const { stateDir, begunAtMs } = await trackedAgo(6.9 * DAY_MS, 50);
    const child = startChild({ stateDir, host: collector.url, program: DELIVER });
    await child.tells(true);
    expect(await child.ended).toEqual(QUIET);
    const stored = await collector.readStored(50);
    expect(stored.map(({ properties }) => properties.timeElapsed).sort((one, other) => one - other)).toEqual(
      range(0, 50),
    );
    for (const { timestamp, properties } of stored) {
      const originalMs = begunAtMs + properties.timeElapsed * 60_000;
      // The collector adds the time that the batch took to arrive.
      expect(Math.abs(Date.parse(timestamp) - originalMs)).toBeLessThan(10_000);
    }
    const { clock, ...counts } = readDelivery(stateDir);
    expect(counts).toMatchObject({ accepted: 50, expired: 0, overflowed: 0 });
    const reading = { bootId: expect.stringMatching(/^[0-9a-f-]{36}$/), nowMs: expect.any(Number) };
    if (process.platform === "linux") expect(clock).toMatchObject(reading);
  });

  it("for more than 7 days does not get older messages, because it could not recognise duplicates", async () => {
    const recorder = await startRecorder();
    const { stateDir } = await trackedAgo(7.1 * DAY_MS, 50);
    const program = `track(50, 60); ${DELIVER}`;
    const child = startChild({ stateDir, host: recorder.url, program });
    await child.tells(true);
    expect(await child.ended).toEqual(QUIET);
    await recorder.close();
    expect(numbersKept(recorder)).toEqual(range(50, 60));
    expect(readDelivery(stateDir)).toMatchObject({ accepted: 10, expired: 50, overflowed: 0 });
  });

  it("for that long while the instance keeps running: expired messages are counted, and later ones are sent", async () => {
    let isDown = true;
    const recorder = await startRecorder();
    recorder.answer = (_request, response) => {
      if (isDown) response.writeHead(503).end();
      return isDown ? true : undefined;
    };
    const stateDir = join(makeRigFolder(), "telemetry");
    const child = startChild({
      stateDir,
      host: recorder.url,
      speed: 20,
      program: 'track(0, 20); await hear("next"); track(20, 40); await hear("end");',
    });
    await eventually(() => recorder.requests.length > 1);
    writtenAgo(stateDir, 6.9 * DAY_MS);
    const before = recorder.requests.length;
    await eventually(() => recorder.requests.length > before + 2);
    writtenAgo(stateDir, 7.1 * DAY_MS);
    await eventually(() => readDelivery(stateDir).expired === 20);
    child.say("next");
    isDown = false;
    await eventually(() => numbersKept(recorder).length >= 20);
    child.say("end");
    expect(await child.ended).toEqual(QUIET);
    await recorder.close();
    expect(numbersKept(recorder)).toEqual(range(20, 40));
    expect(readDelivery(stateDir)).toMatchObject({ accepted: 20, expired: 20, overflowed: 0 });
  });
});
