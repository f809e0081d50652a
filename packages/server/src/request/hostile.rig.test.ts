import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { adminToken, type Collector, startCollector, writeKeys } from "@candor/bench/collector";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answerOf, eventually, OBSERVE_PLAN } from "../rig/in-process.ts";

const MIB = 1024 * 1024;
/**
 * Far below the size of the inflated bodies (1 GB), but above the garbage that waits for collection, which is
 * up to 320 MiB on the fastest machine so far.
 */
const ALLOWED_ABOVE_IDLE_BYTES = 450 * MIB;
const dataDir = mkdtempSync(join(tmpdir(), "candor-hostile-"));
const authorization = `Basic ${Buffer.from(`${writeKeys.server}:`).toString("base64")}`;
let collector: Collector;
let idleBytes = 0;
let peakBytes = 0;
let sampler: NodeJS.Timeout;

function residentBytes(): number {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${collector.pid}/status`, "utf8"))?.[1];
  return Number(kib) * 1024;
}

beforeAll(async () => {
  collector = await startCollector({ dataDir, env: { CANDOR_PLAN: OBSERVE_PLAN } });
  for (let n = 0; n < 200; n++) await post(JSON.stringify({ type: "track", event: "Warm", userId: "u" }));
  idleBytes = residentBytes();
  sampler = setInterval(() => {
    peakBytes = Math.max(peakBytes, residentBytes());
  }, 10);
});
afterAll(async () => {
  clearInterval(sampler);
  console.log(
    `resident memory: idle ${Math.round(idleBytes / MIB)} MiB, peak ${Math.round(peakBytes / MIB)} MiB`,
  );
  expect(peakBytes - idleBytes).toBeLessThan(ALLOWED_ABOVE_IDLE_BYTES);
  expect(await collector.stop()).toBe(0);
  rmSync(dataDir, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly body: { code?: string; accepted?: number; dropped?: { reason: string }[] };
}

/** Sends `body`, repeated `times` times, as one request body without ever holding all of it in memory. */
function post(body: string | Buffer, headers: Record<string, string> = {}, times = 1): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${collector.url}/v1/batch`,
      { method: "POST", headers: { authorization, ...headers } },
      (response) => {
        let text = "";
        response.on("data", (chunk) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
      },
    );
    sent.on("error", reject);
    const chunk = Buffer.from(body);
    const write = (left: number): void => {
      if (left === 0 || sent.destroyed) sent.end();
      else sent.write(chunk, () => write(left - 1));
    };
    write(times);
  });
}

const track = (properties: string): string =>
  `{"type":"track","event":"e","userId":"u","properties":${properties}}`;
const dropped = (reason: string): object => ({ status: 200, body: { accepted: 0, dropped: [{ reason }] } });
const refused = (status: number, code: string): object => ({ status, body: { code } });
const accepted = { status: 200, body: { success: true } };

/** The processor time that the collector has used, in milliseconds, with a resolution of 10 ms. */
function cpuMs(): number {
  const [, rest = ""] = readFileSync(`/proc/${collector.pid}/stat`, "utf8").split(") ");
  const fields = rest.split(" "); // begins with field 3
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

async function refusals(code: string): Promise<number> {
  const metrics = await (await fetch(`${collector.url}/metrics`)).text();
  return Number(
    new RegExp(`candor_requests_refused_total\\{code="${code}"\\} (\\d+)`).exec(metrics)?.[1] ?? 0,
  );
}

describe("a hostile body", () => {
  it.each<[string, string | Buffer, object]>([
    ["10,000 levels deep", track(`${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`), dropped("too_deep")],
    ["500,000 lists deep", "[".repeat(500_000), refused(400, "body_unreadable")],
    [
      "500,000 closed lists deep, as a property",
      track(`{"a":${"[".repeat(500_000)}${"]".repeat(500_000)}}`),
      dropped("too_deep"),
    ],
    [
      "of 90,000 keys",
      track(`{${Array.from({ length: 90_000 }, (_, n) => `"k${n}":1`)}}`),
      dropped("event_too_large"),
    ],
    [
      "that is not UTF-8",
      Buffer.concat([Buffer.from(track('"')), Buffer.from([0xff, 0xfe])]),
      refused(400, "body_unreadable"),
    ],
    [
      "with __proto__ everywhere",
      '{"__proto__":{"batch":[]},"type":"track","event":"e","userId":"u","properties":{"__proto__":{"a":1}}}',
      accepted,
    ],
    ["with constructor.prototype", track('{"constructor":{"prototype":{"polluted":true}}}'), accepted],
    ["with 1e400", track('{"n":1e400}'), dropped("number_out_of_range")],
    ["with -1e400 in a list", track('{"n":[1,[-1e400]]}'), dropped("number_out_of_range")],
    ["with duplicate keys, of which the last counts", track('{"a":1,"a":2}'), accepted],
    ["with lone surrogates", track('{"\\ud800":"\\udfff"}'), accepted],
    ["with NUL and control characters", track('{"a":"\\u0000\\u001b[2J"}'), accepted],
    ["of blanks only", " ".repeat(MIB), refused(400, "body_unreadable")],
  ])("%s gets a documented answer", async (_what, body, answer) => {
    expect(await post(body)).toMatchObject(answer);
  });

  it("of 100 MB is refused with 413, announced or chunked", async () => {
    const length = { "content-length": String(100 * MIB) };
    expect(await post(Buffer.alloc(MIB, 97), length, 100)).toMatchObject(refused(413, "body_too_large"));
    expect(await post(Buffer.alloc(MIB, 97), {}, 100)).toMatchObject(refused(413, "body_too_large"));
  });

  it("of a million keys is refused with 413", async () => {
    const keys = track(`{${Array.from({ length: 1_000_000 }, (_, n) => `"k${n}":1`)}}`);
    expect(await post(keys)).toMatchObject(refused(413, "body_too_large"));
  });

  it("that inflates to 1 GB is refused with 413 at the first MiB", async () => {
    const member = gzipSync(Buffer.alloc(16 * MIB)); // consecutive gzip members inflate to one stream
    const bomb = Buffer.concat(Array(64).fill(member));
    expect(bomb.length).toBeLessThan(1.1 * MIB);
    const cut = bomb.subarray(0, MIB - 1);
    expect(await post(cut, { "content-encoding": "gzip" })).toMatchObject(refused(413, "body_too_large"));
  });

  it.each([
    ["of a million opening brackets", "[".repeat(MIB)],
    ["of half a million numbers", `{"batch":[${"1,".repeat(MIB / 2 - 10)}1]}`],
    ["of 90,000 keys", `{${Array.from({ length: 90_000 }, (_, n) => `"k${n}":1`)}}`],
    ["of one key repeated", `{${'"a":1,'.repeat(170_000)}"a":1}`],
    ["of escapes", JSON.stringify({ a: "\u0001".repeat(170_000) })],
    ["of long numbers", `{"a":${"1".repeat(MIB - 10)}}`],
    [
      "of 2,500 messages with their own write keys",
      JSON.stringify({ batch: Array(2500).fill({ writeKey: "k" }) }),
    ],
  ])("%s, without a write key, takes less than two seconds of CPU time", async (_what, body) => {
    const before = cpuMs();
    const { status } = await post(gzipSync(body), { authorization: "" });
    expect([400, 401, 413]).toContain(status);
    expect(cpuMs() - before).toBeLessThan(2000);
  });

  it("is read back as it was accepted", async () => {
    const read = async (query: string): Promise<Readonly<Record<string, unknown>>[]> => {
      const response = await fetch(`${collector.url}/api/events?event=e&${query}`, {
        headers: { authorization: `Bearer ${adminToken}` },
      });
      return (await answerOf(response)).events ?? [];
    };
    const [twice] = await eventually(
      () => read("properties.a=2"),
      (events) => events.length > 0,
    );
    expect(twice?.properties).toEqual({ a: 2 });
    const all = JSON.stringify(await read("limit=100"));
    for (const part of [
      '"__proto__":{"a":1}',
      '"\ufffd":"\ufffd"', // halves of surrogate pairs, replaced
      '"polluted":true',
      '"\\u0000\\u001b[2J"',
    ])
      expect(all).toContain(part);
  });
});

describe("a slow or broken client", () => {
  it("that sends a million one-byte chunks on each of 8 connections, without a write key, is refused and disconnected", async () => {
    const pieces = "1\r\nx\r\n".repeat(1_000_000);
    const answers = Array.from({ length: 8 }, () => {
      const socket = connect(collector.port, "127.0.0.1").on("error", () => {});
      let answer = "";
      socket.setEncoding("latin1").on("data", (text: string) => (answer += text));
      socket.write("POST /v1/batch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
      socket.write(pieces);
      return new Promise<string>((resolve) => socket.on("close", () => resolve(answer)));
    });
    // If a connection is closed while its client still sends, the answer may be lost.
    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^$|"code":"body_fragmented"/);
    expect(await refusals("body_fragmented")).toBe(8);
  });

  const PATHS = [
    "/privacy",
    "/privacy.json",
    "/api/openapi.json",
    "/metrics",
    "/v1/projects/k/settings",
    "/x",
  ];
  /**
   * Opens a connection that sends `requests` and never reads. It therefore does not notice when the server
   * closes it.
   */
  const openWith = (requests: string): void =>
    void connect(collector.port, "127.0.0.1")
      .on("error", () => {})
      .write(requests);
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

  it("that pipelines 1,500 requests and reads nothing is disconnected", async () => {
    for (let n = 0; n < 60; n++) openWith(get(PATHS[n % PATHS.length] ?? "/privacy").repeat(1500));
    await expect.poll(() => refusals("too_many_pipelined"), { timeout: 20_000 }).toBe(60);
    expect(await post(track("{}"))).toMatchObject(accepted);
  });

  it("that pipelines as much as is allowed and reads nothing costs little memory on 300 connections", async () => {
    const before = residentBytes();
    for (let n = 0; n < 300; n++) openWith(get(PATHS[n % PATHS.length] ?? "/privacy").repeat(33));
    await sleep(3000);
    expect(residentBytes() - before).toBeLessThan(100 * MIB);
    expect(await post(track("{}"))).toMatchObject(accepted);
  });

  it("that stops before the end of a megabyte, on 100 connections, stays within the memory budget and blocks nobody", async () => {
    const before = residentBytes();
    const head = "POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n";
    for (let n = 0; n < 100; n++) openWith(head + "x".repeat(MIB - 1));
    await expect.poll(() => refusals("overloaded"), { timeout: 20_000 }).toBeGreaterThanOrEqual(36);
    expect(await post(track(`{"a":"${"x".repeat(20_000)}"}`))).toMatchObject(accepted);
    expect(residentBytes() - before).toBeLessThan(100 * MIB);
    expect(await post(track("{}"))).toMatchObject(accepted);
  });

  it("is disconnected, and others are answered meanwhile", async () => {
    const closed = Array.from({ length: 50 }, () => {
      const socket = connect(collector.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write("POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n");
      const drip = setInterval(() => socket.write("X"), 1000);
      return new Promise<void>((resolve) => {
        socket.on("close", () => {
          clearInterval(drip);
          resolve();
        });
        socket.resume();
      });
    });
    expect(await post(track("{}"))).toMatchObject(accepted);
    await Promise.all(closed);
    expect(await post(track("{}"))).toMatchObject(accepted);
  });
});
