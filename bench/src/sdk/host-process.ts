/**
 * The process of a server with one SDK, or with none. `startHost` starts it with an Assignment. The process
 * sends its answer, if the task has one, as its only message. Then it behaves like a product: it keeps
 * running, or it ends without a flush.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { median } from "../latencies.ts";
import { type UsageEvent, usageEvents, usageFleet } from "../usage-event.ts";
import { openProduct, type Product } from "./products.ts";
import type {
  Assignment,
  BurstAnswer,
  BurstTask,
  LoseAnswer,
  LoseTask,
  PaceAnswer,
  PaceTask,
} from "./task.ts";
import { UNCOUNTED_APP } from "./wire.ts";

const POOL_EVENTS = 2000;
const TICK_MS = 2;
/**
 * A process that fell behind makes up for at most two ticks at a time and skips the others, so that it slows
 * down but is not stuck.
 */
const MAX_TICKS_AT_ONCE = 2;
const MIN_BURSTS = 3;
/** The longest delay that `setTimeout` supports. */
const FOR_EVER_MS = 2 ** 31 - 1;

const { subject, place, task }: Assignment = JSON.parse(process.argv[2] ?? "");
const nextEvent = fromPool();
const product = await openProduct(subject, place);

process.once("disconnect", () => process.exit(1));
// The IPC channel alone must not keep the process alive.
process.channel?.unref();

switch (task.role) {
  case "burst":
    process.send?.(await burst(product, task));
    await sleep(FOR_EVER_MS);
    break;
  case "pace":
    process.send?.(await measurePace(product, task));
    await sleep(FOR_EVER_MS);
    break;
  case "lose":
    await lose(product, task);
    break;
  case "restart": {
    const event = nextEvent();
    product.track({ ...event, properties: { ...event.properties, appName: UNCOUNTED_APP } });
    await sleep(FOR_EVER_MS);
  }
}

/**
 * Makes a pool of events before the measurement. Returns a function that takes the pool's events in turn,
 * over and over. Each call gets its own copy, whether there is an SDK or not.
 */
function fromPool(): () => UsageEvent {
  const next = usageEvents(usageFleet(), 5);
  const pool = Array.from({ length: POOL_EVENTS }, next);
  let index = 0;
  return () => {
    const event = pool[index++ % POOL_EVENTS];
    if (event === undefined) throw new Error("the pool is empty");
    return { ...event, properties: { ...event.properties } };
  };
}

async function burst({ track }: Product, options: BurstTask): Promise<BurstAnswer> {
  const { burstCalls, bursts, warmupBursts, pauseMs, limitMs } = options;
  const called: number[] = [];
  const turned: number[] = [];
  const endAt = performance.now() + limitMs;
  for (let index = -warmupBursts; index < bursts; index++) {
    const isLate = performance.now() > endAt;
    if (isLate && called.length >= MIN_BURSTS) break;
    const events = Array.from({ length: burstCalls }, nextEvent);
    const startAt = performance.now();
    for (const event of events) track(event);
    const calledMs = performance.now() - startAt;
    await turn();
    const turnedMs = performance.now() - startAt;
    if (index >= 0 || isLate) {
      called.push((burstCalls / calledMs) * 1000);
      turned.push((burstCalls / turnedMs) * 1000);
    }
    await sleep(pauseMs);
  }
  return { callsPerS: median(called), turnedCallsPerS: median(turned) };
}

async function measurePace(product: Product, options: PaceTask): Promise<PaceAnswer> {
  const { callsPerS, durationMs, warmupMs } = options;
  const warmupCalls = await pace(product, callsPerS, warmupMs);
  const delays = monitorEventLoopDelay({ resolution: 1 });
  const cpuBefore = process.cpuUsage();
  const startAt = performance.now();
  delays.enable();
  const calls = await pace(product, callsPerS, durationMs);
  delays.disable();
  const tookMs = performance.now() - startAt;
  const cpu = process.cpuUsage(cpuBefore);
  const toMs = (ns: number) => ns / 1e6;
  return {
    calls: warmupCalls + calls,
    callsPerS: (calls / tookMs) * 1000,
    delayMs: {
      p50: toMs(delays.percentile(50)),
      p99: toMs(delays.percentile(99)),
      max: toMs(delays.max),
    },
    cpuShare: (cpu.user + cpu.system) / 1000 / tookMs,
  };
}

/**
 * Makes the calls in ticks of TICK_MS. Resolves after the last call to the number of calls, which is lower
 * than requested if the process fell behind.
 */
function pace({ track }: Product, callsPerS: number, durationMs: number): Promise<number> {
  const callsATick = (callsPerS * TICK_MS) / 1000;
  const startAt = performance.now();
  let ticks = 0;
  let calls = 0;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const passedMs = Math.min(durationMs, performance.now() - startAt);
      const due = Math.floor(passedMs / TICK_MS);
      for (const end = Math.min(due, ticks + MAX_TICKS_AT_ONCE); ticks < end; ticks++)
        for (let call = 0; call < callsATick; call++, calls++) track(nextEvent());
      if (passedMs < durationMs) {
        ticks = due;
        return;
      }
      clearInterval(timer);
      resolve(calls);
    }, TICK_MS);
  });
}

async function lose({ track }: Product, { calls, durationMs, ending }: LoseTask): Promise<void> {
  const startAt = performance.now();
  for (let call = 0; call < calls; call++) {
    await sleep(Math.max(0, startAt + (call * durationMs) / calls - performance.now()));
    track(nextEvent());
  }
  // The event loop must not turn between the last call and the exit.
  if (ending === "exit") process.exit(0);
  process.send?.({ calls } satisfies LoseAnswer);
  if (ending !== "main ends") await sleep(FOR_EVER_MS);
}
