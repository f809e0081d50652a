// Preloaded into the product's processes: gives them a clock that a test can set ahead, and a host name that
// a test can search for. The file named by RIG_CLOCK contains the minutes to add. Timeouts of `node:timers`
// that become due when the clock is set ahead fire within 50 ms.
import { readFileSync } from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { env, exit, kill } from "node:process";

const { RIG_CLOCK, RIG_HOST, RIG_OWNER } = env;
const LOOK_EVERY_MS = 50;
const require = createRequire(import.meta.url);
const [os, timers] = [require("node:os"), require("node:timers")];
const { performance } = require("node:perf_hooks");
const RealDate = Date;
const realNow = Date.now;
const realMonotonic = performance.now.bind(performance);
const realUptime = os.uptime;
const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout } = timers;
const pending = new Map();
let aheadMs = readAhead();

os.hostname = () => RIG_HOST ?? "localhost";
if (RIG_CLOCK !== undefined) {
  globalThis.Date = class extends RealDate {
    constructor(...parts) {
      super(...(parts.length === 0 ? [Date.now()] : parts));
    }
    static now() {
      return realNow() + aheadMs;
    }
  };
  performance.now = () => realMonotonic() + aheadMs;
  os.uptime = () => realUptime() + aheadMs / 1000;
  timers.setTimeout = (task, afterMs, ...values) => {
    const run = () => {
      pending.delete(timer);
      task(...values);
    };
    const timer = realSetTimeout(run, afterMs);
    pending.set(timer, { dueMs: performance.now() + (afterMs ?? 0), run });
    return timer;
  };
  timers.clearTimeout = (timer) => {
    pending.delete(timer);
    realClearTimeout(timer);
  };
}
syncBuiltinESMExports();

timers
  .setInterval(() => {
    if (RIG_OWNER !== undefined && !isAlive(Number(RIG_OWNER))) exit(); // the test was killed
    if (RIG_CLOCK === undefined || aheadMs === readAhead()) return;
    aheadMs = readAhead();
    for (const [timer, { dueMs, run }] of pending)
      if (dueMs <= performance.now()) {
        realClearTimeout(timer);
        run();
      }
  }, LOOK_EVERY_MS)
  .unref();

function readAhead() {
  return RIG_CLOCK === undefined ? 0 : Number(readFileSync(RIG_CLOCK, "utf8")) * 60_000;
}

function isAlive(pid) {
  try {
    return kill(pid, 0);
  } catch {
    return false;
  }
}
