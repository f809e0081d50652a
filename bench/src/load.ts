/**
 * The load generator's process, which uses raw sockets and prebuilt requests so that it needs far less CPU
 * time than the server that it measures. `runLoad` starts it, sends LoadOptions as the only message, and
 * receives a LoadResult.
 */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Latencies, recordLatencies } from "./latencies.ts";
import type { LoadOptions, LoadResult } from "./load-options.ts";
import { type IdWriter, idTag, idWriter, timeWriter } from "./patch.ts";
import { cpuShares } from "./processes.ts";
import { buildRequest, defaultPath, type RequestTemplate, stampRequest } from "./request-template.ts";
import { acceptedIn, responseReader } from "./response-reader.ts";
import { type User, usageEvents, usageFleet } from "./usage-event.ts";

/** The number of requests that each connection cycles through, for batches and for single events. */
const BATCHES_A_CONNECTION = 8;
const SINGLES_A_CONNECTION = 64;
const RECONNECT_AFTER_MS = 50;
/** How long a run waits at its end for unanswered requests. */
const LAST_ANSWERS_MS = 15_000;

/** One connection with at most one request in flight. */
type Lane = {
  readonly templates: readonly RequestTemplate[];
  readonly writeId: IdWriter;
  turn: number;
  write: (bytes: Buffer) => void;
  state: "closed" | "idle" | "waiting";
  /** When the last request was sent or, at a fixed rate, was due. */
  since: number;
};

type Run = {
  readonly batchSize: number;
  readonly pace: Pace;
  readonly latencies: Latencies;
  readonly lanes: readonly Lane[];
  measureFrom: number;
  measureUntil: number;
  requests: number;
  events: number;
  acknowledgedEvents: number;
  disconnects: number;
  refusedEvents: number;
  readonly statuses: Record<string, number>;
};

/** Claims the next request and returns when its latency starts; null if, at a fixed rate, none is due yet. */
type Pace = (now: number) => number | null;

const writeTime = timeWriter();

process.once("disconnect", () => process.exit(1));
process.once("message", (message) => {
  runHere(message as LoadOptions).then(
    (result) => process.send?.(result, undefined, undefined, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

async function runHere(options: LoadOptions): Promise<LoadResult> {
  const { batchSize, durationMs, warmupMs = 0, connections = 32, watchedPids = [] } = options;
  const url = new URL(options.url);
  const users = usageFleet();
  const lanes = Array.from({ length: connections }, (_, index) => idleLane(options, url, index, users));
  const startAt = performance.now();
  const run: Run = {
    batchSize,
    pace: paceOf(options, startAt),
    latencies: recordLatencies(),
    lanes,
    measureFrom: startAt + warmupMs,
    measureUntil: startAt + warmupMs + durationMs,
    requests: 0,
    events: 0,
    acknowledgedEvents: 0,
    disconnects: 0,
    refusedEvents: 0,
    statuses: {},
  };
  for (const lane of lanes) openLane(run, lane, url);
  // At a fixed rate, only this clock wakes an idle connection. Without a rate, a connection sends its next
  // request as soon as it gets an answer.
  const clock = options.eventsPerSecond === undefined ? undefined : setInterval(() => sendDue(run), 1);
  await sleep(warmupMs);
  const pids = [process.pid, ...watchedPids];
  const [cpuShare = 0, ...watchedCpuShares] = await cpuShares(pids, sleep(durationMs));
  clearInterval(clock);
  const giveUpAt = performance.now() + LAST_ANSWERS_MS;
  while (lanes.some((lane) => lane.state === "waiting") && performance.now() < giveUpAt) await sleep(10);
  run.disconnects += lanes.filter((lane) => lane.state === "waiting").length;
  return { ...figuresOf(run, durationMs), cpuShare, watchedCpuShares };
}

function idleLane(options: LoadOptions, url: URL, index: number, users: readonly User[]): Lane {
  const nextEvent = usageEvents(users, Number.parseInt(options.idPrefix, 36) * 256 + index);
  const target = {
    host: url.host,
    path: options.path ?? defaultPath(options.batchSize),
    writeKey: options.writeKey,
  };
  const count = options.batchSize === 1 ? SINGLES_A_CONNECTION : BATCHES_A_CONNECTION;
  return {
    templates: Array.from({ length: count }, () =>
      buildRequest(target, Array.from({ length: options.batchSize }, nextEvent)),
    ),
    writeId: idWriter(idTag(options.idPrefix, index)),
    turn: 0,
    write: () => {},
    state: "closed",
    since: 0,
  };
}

function openLane(run: Run, lane: Lane, url: URL): void {
  const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  lane.write = (bytes) => socket.write(bytes);
  socket.on(
    "data",
    responseReader((status, data, start, end) =>
      takeResponse(run, lane, status, acceptedIn(data, start, end)),
    ),
  );
  socket.on("error", () => {});
  socket.on("connect", () => {
    lane.state = "idle";
    sendNext(run, lane, performance.now());
  });
  socket.on("close", () => {
    if (lane.state === "waiting") run.disconnects++;
    lane.state = "closed";
    if (performance.now() < run.measureUntil) setTimeout(openLane, RECONNECT_AFTER_MS, run, lane, url);
  });
}

function takeResponse(run: Run, lane: Lane, status: number, accepted: number | null): void {
  // A server may send a response when it closes an idle connection. Such a response answers no request.
  if (lane.state !== "waiting") return;
  const now = performance.now();
  if (status >= 200 && status < 300) {
    const events = accepted ?? run.batchSize;
    run.acknowledgedEvents += events;
    run.refusedEvents += run.batchSize - events;
    if (now >= run.measureFrom && now < run.measureUntil) {
      run.requests++;
      run.events += events;
      run.latencies.record(now - lane.since);
    }
  } else run.statuses[status] = (run.statuses[status] ?? 0) + 1;
  lane.state = "idle";
  sendNext(run, lane, now);
}

function sendNext(run: Run, lane: Lane, now: number): void {
  if (now >= run.measureUntil) return;
  const since = run.pace(now);
  const template = lane.templates[lane.turn % lane.templates.length];
  if (since === null || template === undefined) return;
  lane.turn++;
  lane.state = "waiting";
  lane.since = since;
  stampRequest(template, lane.writeId, writeTime, Date.now());
  lane.write(template.bytes);
}

/**
 * Sends on the longest-idle connections first, so that at a low rate no connection is
 * unused until it times out.
 */
function sendDue(run: Run): void {
  const now = performance.now();
  const idle = run.lanes.filter((lane) => lane.state === "idle");
  for (const lane of idle.sort((a, b) => a.since - b.since)) sendNext(run, lane, now);
}

/**
 * At a fixed rate, latency counts from the time a request was due, so that a stalled
 * server cannot hide its delays.
 */
function paceOf({ eventsPerSecond, batchSize }: LoadOptions, startAt: number): Pace {
  if (eventsPerSecond === undefined) return (now) => now;
  const everyMs = (1000 * batchSize) / eventsPerSecond;
  let taken = 0;
  return (now) => {
    const dueAt = startAt + taken * everyMs;
    if (dueAt > now) return null;
    taken++;
    return dueAt;
  };
}

function figuresOf(run: Run, durationMs: number): Omit<LoadResult, "cpuShare" | "watchedCpuShares"> {
  const [p50Ms = 0, p90Ms = 0, p99Ms = 0, maxMs = 0] = run.latencies.percentiles([0.5, 0.9, 0.99, 1]);
  const { requests, events, acknowledgedEvents, statuses, disconnects, refusedEvents } = run;
  return {
    requests,
    events,
    requestsPerS: (requests * 1000) / durationMs,
    eventsPerS: (events * 1000) / durationMs,
    p50Ms,
    p90Ms,
    p99Ms,
    maxMs,
    acknowledgedEvents,
    errors: { statuses, disconnects, refusedEvents },
  };
}
