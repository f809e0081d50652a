import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { startProxyServer } from "./http/rig/proxy-server.ts";
import {
  type Child,
  eventually,
  makeRigFolder,
  numbersKept,
  QUIET,
  range,
  readDelivery,
  startChild,
} from "./rig/child.ts";
import { SWITCH_OFFERED } from "./rig/in-process.ts";
import {
  type Answerer,
  type RecordedMessage,
  type RecordedRequest,
  type Recorder,
  startRecorder,
} from "./rig/recorder.ts";

const CERTIFICATE = fileURLToPath(new URL("http/fixtures/test-only-certificate.pem", import.meta.url));
const KEY = fileURLToPath(new URL("http/fixtures/test-only-key.pem", import.meta.url));
const DAY_MS = 24 * 60 * 60_000;

const ends: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of ends.splice(0)) await end();
});

async function recorderOf(answer?: Answerer): Promise<Recorder> {
  const recorder = await startRecorder();
  recorder.answer = answer;
  ends.push(() => recorder.close());
  return recorder;
}

function stateDirOf(): string {
  return join(makeRigFolder(), "telemetry");
}

const keeps = (recorder: Pick<Recorder, "kept">, count: number) =>
  eventually(() => numbersKept(recorder).length >= count);

/** The size of an outbox in bytes, including messages that were sent. */
function outboxBytes(stateDir: string): number {
  const outbox = join(stateDir, "outbox");
  return readdirSync(outbox).reduce((sum, name) => sum + statSync(join(outbox, name)).size, 0);
}

/** Answers the first batches by calling `spoil`, and keeps none of their messages. */
function first(batches: number, spoil: (response: ServerResponse) => void): Answerer {
  let left = batches;
  return ({ path }, response) => {
    if (path !== "/v1/batch" || left === 0) return undefined;
    left -= 1;
    spoil(response);
    return true;
  };
}

const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, body = "{}") =>
  (response: ServerResponse): void =>
    void response.writeHead(code, headers).end(body);

/** Tracks a hundred events while the collector misbehaves, the last thirty only once the test says `more`. */
const HUNDRED = `
  track(0, 40);
  await sleep(200);
  track(40, 70);
  await hear("more");
  track(70, 100);
  await hear("end");`;

/** Has the child track the last events once the others are kept, and end once all are kept. */
async function endsQuietly(child: Child, recorder: Pick<Recorder, "kept">): Promise<void> {
  await keeps(recorder, 70);
  child.say("more");
  await keeps(recorder, 100);
  child.say("end");
  expect(await child.ended).toEqual(QUIET);
}

describe.concurrent("nothing is lost, sent twice or printed if the collector", () => {
  it.each<[what: string, answer: Answerer]>([
    ["answers 500 for a while", first(4, status(500))],
    ["answers 503 with a page", first(2, status(503, { "content-type": "text/html" }, "<h1>Sorry</h1>"))],
    ["is missing behind its gateway", first(3, status(502))],
    [
      "is first hidden by a hotel's login page",
      first(3, status(200, { "content-type": "text/html" }, "<h1>Welcome</h1>")),
    ],
    ["answers 200 with another service's JSON", first(2, status(200, {}, '{"ok":true}'))],
    ["answers with an empty 200", first(2, status(200, {}, ""))],
    ["redirects to another address", first(1, status(429, { "retry-after": "garbage" }))],
    ["closes the connection without an answer", first(3, (response) => response.destroy())],
    [
      "breaks off in the middle of an answer",
      first(2, (response) => {
        response
          .writeHead(200, { "content-length": "1000" })
          .write('{"success":tr', () => response.destroy());
      }),
    ],
    [
      "sends a far longer answer than a collector does",
      first(1, status(200, {}, JSON.stringify({ success: true, more: "x".repeat(3_000_000) }))),
    ],
  ])("%s", async (_what, answer) => {
    const recorder = await recorderOf(answer);
    const child = startChild({ stateDir: stateDirOf(), host: recorder.url, speed: 20, program: HUNDRED });
    await endsQuietly(child, recorder);
    expect(numbersKept(recorder)).toEqual(range(0, 100));
    expect(recorder.kept).toHaveLength(100);
  });

  it("keeps a batch, but its answer is lost: the second copy has the same messageIds", async () => {
    const recorder = await recorderOf();
    let lost: readonly RecordedMessage[] = [];
    recorder.answer = ({ path, messages }, response) => {
      if (path !== "/v1/batch" || lost.length > 0) return undefined;
      lost = messages;
      recorder.kept.push(...messages);
      response.destroy();
      return true;
    };
    const child = startChild({ stateDir: stateDirOf(), host: recorder.url, speed: 20, program: HUNDRED });
    await keeps(recorder, 70);
    child.say("more");
    await eventually(() => recorder.kept.length >= 100 + lost.length);
    child.say("end");
    expect(await child.ended).toEqual(QUIET);
    expect(numbersKept(recorder)).toEqual(range(0, 100));
    expect(lost.length).toBeGreaterThan(0);
    expect(recorder.kept).toHaveLength(100 + lost.length);
  });

  it.each([
    ["has too many messages", 413, ({ messages }: RecordedRequest) => messages.length > 7, 0],
    [
      "contains a message that it cannot read",
      400,
      ({ text }: RecordedRequest) => text.includes('"timeElapsed":13,'),
      1,
    ],
  ])("refuses a batch that %s: halves of it are accepted", async (_what, code, isRefused, lost) => {
    const recorder = await recorderOf((request, response) => {
      if (!isRefused(request)) return undefined;
      status(code)(response);
      return true;
    });
    const stateDir = stateDirOf();
    const child = startChild({ stateDir, host: recorder.url, speed: 20, program: HUNDRED });
    child.say("more");
    await eventually(() => readDelivery(stateDir).accepted === 100 - lost);
    child.say("end");
    expect(await child.ended).toEqual(QUIET);
    expect(numbersKept(recorder)).toEqual(range(0, 100).filter((n) => lost === 0 || n !== 13));
    expect(recorder.kept).toHaveLength(100 - lost);
    expect(readDelivery(stateDir)).toMatchObject({ refused: lost === 0 ? {} : { [`http_${code}`]: lost } });
  });

  it("does not know the key: everything waits, and a process with the right key sends it", async () => {
    const recorder = await recorderOf(({ authorization }, response) => {
      if (authorization === `Basic ${Buffer.from("server_key:").toString("base64")}`) return undefined;
      status(401)(response);
      return true;
    });
    const stateDir = stateDirOf();
    const wrong = startChild({
      stateDir,
      host: recorder.url,
      speed: 20,
      options: { writeKey: "old" },
      program: HUNDRED,
    });
    await eventually(() => readDelivery(stateDir).lastFault === "http_401");
    await new Promise((resolve) => setTimeout(resolve, 700));
    wrong.say("more");
    wrong.say("end");
    expect(await wrong.ended).toEqual(QUIET);
    expect(recorder.requests).toHaveLength(1); // after one batch the SDK waits for an hour
    const right = startChild({ stateDir, host: recorder.url, speed: 20, program: 'await hear("end");' });
    await keeps(recorder, 100);
    right.say("end");
    expect(await right.ended).toEqual(QUIET);
    expect(numbersKept(recorder)).toEqual(range(0, 100));
    expect(recorder.kept).toHaveLength(100);
  });

  it("asks for a delay: nothing is sent before it is over", async () => {
    let refusedAtMs = 0;
    const gapsMs: number[] = [];
    const refuse = first(1, status(429, { "retry-after": "3" }));
    const recorder = await recorderOf((request, response) => {
      if (refusedAtMs > 0) gapsMs.push(performance.now() - refusedAtMs);
      const isRefused = refuse(request, response);
      if (isRefused) refusedAtMs = performance.now();
      return isRefused;
    });
    const child = startChild({ stateDir: stateDirOf(), host: recorder.url, program: HUNDRED });
    await endsQuietly(child, recorder);
    expect(recorder.kept.map(({ messageId }) => messageId).sort()).toEqual(
      [...new Set(recorder.kept.map(({ messageId }) => messageId))].sort(),
    );
    expect(gapsMs.filter((gapMs) => gapMs < 2950)).toEqual([]);
    expect(gapsMs.length).toBeGreaterThan(0);
  });

  it("answers later than the time limit", async () => {
    let given = 0;
    const hold = (response: ServerResponse): void => {
      response.once("close", () => {
        given += 1; // the client stopped waiting
      });
    };
    const recorder = await recorderOf(first(1, hold));
    const child = startChild({ stateDir: stateDirOf(), host: recorder.url, speed: 20, program: HUNDRED });
    await eventually(() => given === 1);
    await endsQuietly(child, recorder);
    expect(numbersKept(recorder)).toEqual(range(0, 100));
    expect(recorder.kept).toHaveLength(100);
  });

  it("has a certificate that is not trusted: nothing is sent until it is", async () => {
    const kept: RecordedMessage[] = [];
    const server = createServer(
      { key: readFileSync(KEY), cert: readFileSync(CERTIFICATE) },
      (request, response) => {
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          const body = Buffer.concat(chunks);
          if (request.url === "/v1/batch") kept.push(...JSON.parse(gunzipSync(body).toString()).batch);
          response.end('{"success":true,"dropped":[]}');
        });
      },
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ends.push(() => {
      server.close();
      server.closeAllConnections();
    });
    const host = `https://localhost:${(server.address() as AddressInfo).port}`;
    const stateDir = stateDirOf();
    const distrustful = startChild({ stateDir, host, speed: 20, program: HUNDRED });
    await eventually(() => readDelivery(stateDir).lastFault === "tls");
    await new Promise((resolve) => setTimeout(resolve, 700));
    distrustful.say("more");
    distrustful.say("end");
    expect(await distrustful.ended).toEqual(QUIET);
    expect(kept).toEqual([]);
    const trusting = startChild({
      stateDir,
      host,
      speed: 20,
      env: { ...SWITCH_OFFERED, NODE_EXTRA_CA_CERTS: CERTIFICATE },
      program: 'tell(await telemetry.flush({ timeoutMs: 20_000 })); await hear("end");',
    });
    await eventually(() => kept.length >= 100);
    trusting.say("end");
    expect(await trusting.ended).toEqual(QUIET);
    expect(numbersKept({ kept })).toEqual(range(0, 100));
    expect(kept).toHaveLength(100);
  });
});

describe.concurrent("behind a proxy", () => {
  it("everything goes through it and nothing bypasses it; while it is down, everything waits", async () => {
    const recorder = await recorderOf();
    const stateDir = stateDirOf();
    const host = "http://collector.invalid";
    const targetPort = Number(new URL(recorder.url).port);
    const gone = await startProxyServer({ targetPort });
    gone.close();
    const withProxy = (port: number) => ({
      stateDir,
      host,
      speed: 20,
      env: { ...SWITCH_OFFERED, HTTP_PROXY: `http://127.0.0.1:${port}` },
    });
    const waiting = startChild({ ...withProxy(gone.port), program: HUNDRED });
    await eventually(() => readDelivery(stateDir).lastFault === "proxy");
    await new Promise((resolve) => setTimeout(resolve, 700));
    waiting.say("more");
    waiting.say("end");
    expect(await waiting.ended).toEqual(QUIET);
    expect(recorder.requests).toEqual([]);

    const proxy = await startProxyServer({ targetPort });
    ends.push(() => proxy.close());
    const through = startChild({ ...withProxy(proxy.port), program: 'track(100, 120); await hear("end");' });
    await keeps(recorder, 120);
    through.say("end");
    expect(await through.ended).toEqual(QUIET);
    expect(numbersKept(recorder)).toEqual(range(0, 120));
    expect(recorder.kept).toHaveLength(120);
    expect(new Set(proxy.requests.map(({ line }) => line))).toEqual(new Set([`POST ${host}/v1/batch`]));
  });

  it("a host in NO_PROXY is reached directly", async () => {
    const recorder = await recorderOf();
    const proxy = await startProxyServer({ targetPort: 9 });
    ends.push(() => proxy.close());
    const env = {
      ...SWITCH_OFFERED,
      HTTP_PROXY: `http://127.0.0.1:${proxy.port}`,
      NO_PROXY: "localhost,127.0.0.1",
    };
    const child = startChild({
      stateDir: stateDirOf(),
      host: recorder.url,
      env,
      speed: 20,
      program: HUNDRED,
    });
    await endsQuietly(child, recorder);
    expect(proxy.requests).toEqual([]);
  });

  it("a secure collector is reached through a tunnel, in which the proxy can read nothing", async () => {
    const paths: (string | undefined)[] = [];
    const server = createServer(
      { key: readFileSync(KEY), cert: readFileSync(CERTIFICATE) },
      (request, response) => {
        paths.push(request.url);
        request.resume().on("end", () => response.end('{"success":true,"dropped":[]}'));
      },
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = await startProxyServer({ targetPort: (server.address() as AddressInfo).port });
    ends.push(() => {
      proxy.close();
      server.close();
      server.closeAllConnections();
    });
    const child = startChild({
      stateDir: stateDirOf(),
      host: "https://collector.test",
      env: {
        ...SWITCH_OFFERED,
        HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
        NODE_EXTRA_CA_CERTS: CERTIFICATE,
      },
      program: "track(0, 10); tell(await telemetry.flush());",
    });
    await child.tells(true);
    expect(await child.ended).toEqual(QUIET);
    expect(new Set(proxy.requests.map(({ line }) => line))).toEqual(new Set(["CONNECT collector.test:443"]));
    expect(paths).toEqual(["/v1/batch"]);
  });
});

describe.concurrent("on its own machine", () => {
  it("a clock that jumps by a day, forward or back, while the collector is up or down, does no harm", async () => {
    let isDown = false;
    const recorder = await recorderOf((_request, response) => {
      if (isDown) status(503)(response);
      return isDown ? true : undefined;
    });
    const child = startChild({
      stateDir: stateDirOf(),
      host: recorder.url,
      speed: 20,
      program: `
        let n = 0;
        const more = async () => { track(n, n + 20); n += 20; await sleep(150); };
        for (const word of ["up", "down", "up again"]) {
          await hear(word);
          for (const days of [1, -1, -1, 1]) {
            await more();
            jump(days * ${DAY_MS});
            await more();
          }
          tell(word);
        }
        await hear("end");`,
    });
    for (const word of ["up", "down", "up again"]) {
      isDown = word === "down";
      child.say(word);
      await child.tells(word);
    }
    await keeps(recorder, 480);
    child.say("end");
    expect(await child.ended).toEqual(QUIET);
    expect(numbersKept(recorder)).toEqual(range(0, 480));
    expect(recorder.kept).toHaveLength(480);
  });

  it("a state folder that is deleted at run time is created again with another id; nothing more is sent under the old one", async () => {
    const recorder = await recorderOf();
    const stateDir = stateDirOf();
    const child = startChild({
      stateDir,
      host: recorder.url,
      speed: 20,
      program: `
        track(0, 50);
        await hear("deleted");
        track(50, 60); // these reveal the deletion
        await sleep(300);
        track(60, 100);
        await hear("end");`,
    });
    // If the folder were deleted during a send, telemetry would be off for a minute.
    await eventually(
      () => readDelivery(stateDir).accepted === 50 && !existsSync(join(stateDir, "sender.lease")),
    );
    const before = new Set(recorder.kept.map(({ anonymousId }) => anonymousId));
    // Renamed first, so that the folder disappears in one step: reads and writes meanwhile must not disturb
    // the deletion.
    renameSync(stateDir, `${stateDir}-away`);
    rmSync(`${stateDir}-away`, { recursive: true });
    child.say("deleted");
    await eventually(() => numbersKept(recorder).includes(99));
    child.say("end");
    expect(await child.ended).toEqual(QUIET);
    const { instanceId } = JSON.parse(readFileSync(join(stateDir, "instance.json"), "utf8"));
    const after = recorder.kept.slice(50);
    expect(before.size).toBe(1);
    expect(before).not.toContain(instanceId);
    expect(new Set(after.map(({ anonymousId }) => anonymousId))).toEqual(new Set([instanceId]));
    expect(numbersKept({ kept: after }).filter((n) => n >= 60)).toEqual(range(60, 100));
  });

  it("a file in place of the state folder turns telemetry off silently", async () => {
    const recorder = await recorderOf();
    const child = startChild({
      stateDir: join(CERTIFICATE, "telemetry"),
      host: recorder.url,
      program: `
        track(0, 100);
        telemetry.keepAlive({ healthy: () => true });
        await sleep(200);
        tell(telemetry.status().reason);`,
    });
    await child.tells("state_unwritable");
    expect(await child.ended).toEqual(QUIET);
    expect(recorder.requests).toEqual([]);
  });

  it("foreign files and folders in the outbox are not sent and do no harm", async () => {
    const recorder = await recorderOf();
    const stateDir = stateDirOf();
    mkdirSync(join(stateDir, "outbox", "server-notice-20261123T120000Z-ab.ndjson"), { recursive: true });
    mkdirSync(join(stateDir, "outbox", "lost+found"));
    const child = startChild({ stateDir, host: recorder.url, speed: 20, program: HUNDRED });
    await endsQuietly(child, recorder);
    expect(numbersKept(recorder)).toEqual(range(0, 100));
  });

  it("an outbox above its size limit loses the oldest messages, counts them, and sends the rest", async () => {
    let isDown = true;
    const recorder = await recorderOf((_request, response) => {
      if (isDown) status(503)(response);
      return isDown ? true : undefined;
    });
    const stateDir = stateDirOf();
    const total = 6000;
    const child = startChild({
      stateDir,
      host: recorder.url,
      speed: 20,
      options: { maxOutboxBytes: 1024 * 1024 },
      program: `
        for (let n = 0; n < ${total}; n += 100) {
          track(n, n + 100);
          await sleep(30);
        }
        await sleep(300);
        tell("all");
        await hear("end");`,
    });
    await child.tells("all");
    expect(outboxBytes(stateDir)).toBeLessThan(1.3 * 1024 * 1024);
    isDown = false;
    await eventually(() => {
      const { accepted = 0, overflowed = 0 } = readDelivery(stateDir);
      return Number(accepted) + Number(overflowed) >= total;
    });
    child.say("end");
    expect(await child.ended).toEqual(QUIET);
    const overflowed = Number(readDelivery(stateDir).overflowed);
    expect(overflowed).toBeGreaterThan(total / 4);
    expect(overflowed).toBeLessThan((total * 3) / 4);
    expect(numbersKept(recorder)).toEqual(range(overflowed, total));
  });
});

describe("a host process", () => {
  it("ends by itself while the collector leaves a request unanswered", async () => {
    let open = 0;
    const recorder = await recorderOf((_request, response) => {
      open += 1;
      response.once("close", () => {
        open -= 1;
      });
      return true; // handled, but never answered
    });
    const stateDir = stateDirOf();
    const child = startChild({
      stateDir,
      host: recorder.url,
      options: { sendEveryMs: 0 },
      program: 'track(0, 20); await hear("asked"); track(20, 40);',
    });
    await eventually(() => open > 0);
    const askedMs = performance.now();
    child.say("asked");
    expect(await child.ended).toEqual(QUIET);
    expect(performance.now() - askedMs).toBeLessThan(10_000); // the post would have waited for 15 s
    await eventually(() => open === 0);
    const next = startChild({ stateDir, host: recorder.url, speed: 20, program: 'await hear("end");' });
    recorder.answer = undefined;
    await keeps(recorder, 40);
    next.say("end");
    expect(await next.ended).toEqual(QUIET);
    expect(numbersKept(recorder)).toEqual(range(0, 40));
  });

  it.each([
    ["by process.exit() right after the last event", "track(0, 30); process.exit();"],
    ["by itself right after the last event", "track(0, 30);"],
  ])("that ends %s has everything on disk, and the next process sends it", async (_how, program) => {
    const recorder = await recorderOf();
    const stateDir = stateDirOf();
    expect(await startChild({ stateDir, host: recorder.url, program }).ended).toEqual(QUIET);
    const next = startChild({ stateDir, host: recorder.url, speed: 20, program: 'await hear("end");' });
    await keeps(recorder, 30);
    next.say("end");
    expect(await next.ended).toEqual(QUIET);
    expect(numbersKept(recorder)).toEqual(range(0, 30));
  });

  it("needs no more and more memory while the collector is down", async () => {
    const recorder = await recorderOf();
    await recorder.close(); // nothing listens on its port now
    const child = startChild({
      stateDir: stateDirOf(),
      host: recorder.url,
      speed: 20,
      nodeFlags: ["--expose-gc"],
      program: `
        const measure = async () => {
          await sleep(300);
          for (let n = 0; n < 4; n++) { gc(); await sleep(20); }
          const { heapUsed, external, rss } = process.memoryUsage();
          return { heap: heapUsed + external, rss };
        };
        const trackSlowly = async (from, to) => {
          for (let n = from; n < to; n += 250) { track(n, n + 250); await sleep(5); }
        };
        await trackSlowly(0, 20_000);
        const early = await measure();
        await trackSlowly(20_000, 100_000);
        const late = await measure();
        tell({ grownHeap: late.heap - early.heap, grownRss: late.rss - early.rss, kept: telemetry.status().counts.kept });`,
    });
    expect(await child.ended).toEqual(QUIET);
    const [grown] = child.told as { grownHeap: number; grownRss: number; kept: number }[];
    expect(grown?.kept).toBe(100_000);
    expect(grown?.grownHeap).toBeLessThan(4 * 1024 * 1024); // 80,000 events in memory would take 30 MB
    expect(grown?.grownRss).toBeLessThan(40 * 1024 * 1024);
  });
});
