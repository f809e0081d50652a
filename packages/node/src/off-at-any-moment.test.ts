import { pbkdf2 } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { openForTest } from "./rig/in-process.ts";
import { startRecorder } from "./rig/recorder.ts";

/**
 * The delays before the No. On an idle machine they range from immediately to after everything has been
 * answered.
 */
const MOMENTS_MS = Array.from({ length: 30 }, (_, n) => 2 * n);
const derive = promisify(pbkdf2);

it("a No leaves nothing behind, whatever is being written, sent or answered at that moment", async () => {
  const recorder = await startRecorder();
  let isOver = false;
  // Simulates a busy host: asynchronous writes have to wait for one of Node's four threads.
  const keepBusy = async (): Promise<void> => {
    while (!isOver) await derive("password", "salt", 4000, 32, "sha512");
  };
  const busy = Promise.all(Array.from({ length: 6 }, keepBusy));
  const leftovers: (() => readonly string[])[] = [];
  for (const momentMs of MOMENTS_MS) {
    const { telemetry, files } = openForTest({ host: recorder.url, sendEveryMs: 0 });
    const before = recorder.requests.length;
    telemetry.track("execute_ACTION_TRIGGERED", { timeElapsed: momentMs });
    void telemetry.flush();
    // Every other No is given after the post has arrived, the others at any moment.
    while (momentMs % 4 === 0 && recorder.requests.length === before) await sleep(1);
    await sleep(momentMs);
    // However slow the machine is, at least one No is given after the answer.
    while (momentMs === MOMENTS_MS.at(-1) && recorder.kept.length === 0) await sleep(1);
    telemetry.answer("no");
    leftovers.push(files);
  }
  await sleep(300);
  isOver = true;
  await busy;
  await recorder.close();
  expect(leftovers.map((files) => files())).toEqual(leftovers.map(() => ["receipts.ndjson"]));
  expect(recorder.kept.length).toBeGreaterThan(0);
  expect(recorder.kept.length).toBeLessThan(MOMENTS_MS.length);
});
