import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { openForTest } from "../rig/in-process.ts";
import { createManualClock } from "../rig/manual-clock.ts";
import { startRecorder } from "../rig/recorder.ts";
import { SendLoop } from "./send-loop.ts";
import type { RunEnd } from "./sender.ts";

it("waits as long as a failed attempt requires, whatever was tracked during the attempt", async () => {
  const recorder = await startRecorder();
  onTestFinished(() => recorder.close());
  const clock = createManualClock(Date.now());
  const { telemetry, messages } = openForTest({
    host: recorder.url,
    clock,
    random: () => 1,
    sendEveryMs: 10,
  });
  const track = async (number: number): Promise<void> => {
    telemetry.track("execute_ACTION_TRIGGERED", { timeElapsed: number });
    await expect.poll(() => messages().length, { timeout: 10_000 }).toBe(number); // until it is in the outbox
  };
  const tries = (): number => recorder.requests.filter(({ path }) => path === "/v1/batch").length;
  recorder.answer = ({ path }, response) => {
    if (path !== "/v1/batch") return undefined;
    void track(2).then(() => response.writeHead(503).end());
    return true;
  };
  await track(1);
  // A line can be read before the run that sends it is planned.
  const triesLater = (): Promise<number> => clock.advance(20).then(tries);
  await expect.poll(triesLater, { timeout: 10_000 }).toBe(1);
  await expect.poll(() => messages().length, { timeout: 10_000 }).toBe(2);
  await sleep(120); // until the sender has received the answer
  await clock.advance(900);
  await sleep(50);
  expect(tries()).toBe(1);
  recorder.answer = undefined;
  await clock.advance(200);
  await expect.poll(() => recorder.kept.length, { timeout: 10_000 }).toBe(2);
});

it("waits as long as a failed attempt requires, even if the next run became due during the attempt", async () => {
  const clock = createManualClock(Date.now());
  const runs: ((end: RunEnd) => void)[] = [];
  const sender = { run: () => new Promise<RunEnd>((resolve) => runs.push(resolve)) };
  const session = new AbortController();
  const loop = new SendLoop({ sender, clock, update: () => {}, signal: session.signal, onFault: () => {} });
  loop.soon(10);
  await clock.advance(10);
  expect(runs).toHaveLength(1);
  loop.soon(10);
  await clock.advance(10);
  runs[0]?.({ end: "later", afterMs: 1000, isAsked: false });
  await sleep(1); // until the loop has handled the result
  await clock.advance(999);
  expect(runs).toHaveLength(1);
  await clock.advance(1);
  expect(runs).toHaveLength(2);
  session.abort();
});
