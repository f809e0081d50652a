import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { createClientErrorHandler, createHttpServer, type HttpLimits } from "./http-server.ts";

const MIB = 1024 * 1024;
const FEW: HttpLimits = {
  maxConnections: 3,
  maxWaiting: 5,
  readMs: 300,
  minReadBytesPerMs: MIB,
  checkMs: 20,
};
/** Larger than the kernel's buffers of a loopback connection. */
const LARGE = Buffer.alloc(32 * MIB, "x");
const GET = "GET /privacy HTTP/1.1\r\nHost: x\r\n\r\n";
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Rig {
  /**
   * Opens a connection and writes `text` to it. Without `reads`, the test does not read what the server
   * sends.
   */
  open(text: string, reads?: boolean): { socket: Socket; received: () => string; closed: Promise<unknown> };
  readonly counts: Record<string, number>;
  /** The requests that were passed to the handlers, with the name of the handler. */
  readonly served: string[];
}

async function startRig(answer: (response: ServerResponse) => void): Promise<Rig> {
  const counts: Record<string, number> = {};
  const served: string[] = [];
  const countRefused = (code: string): void => {
    counts[code] = (counts[code] ?? 0) + 1;
  };
  const handler =
    (name: string) =>
    ({ method, url }: IncomingMessage, response: ServerResponse): void => {
      served.push(`${name} ${method} ${url}`);
      answer(response);
    };
  const dependencies = { ingest: handler("ingest"), others: handler("others"), countRefused };
  const server: Server = createHttpServer(dependencies, FEW);
  server.on("clientError", createClientErrorHandler(countRefused));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    counts,
    served,
    open: (text, reads = true) => {
      const socket = connect((server.address() as AddressInfo).port, "127.0.0.1").on("error", () => {});
      closers.push(() => socket.destroy());
      let received = "";
      if (reads) socket.setEncoding("latin1").on("data", (data: string) => (received += data));
      socket.write(text);
      return { socket, received: () => received, closed: once(socket, "close") };
    },
  };
}

const end = (response: ServerResponse): void => void response.end("ok");

it("answers pipelined requests in their order, one after another", async () => {
  const underWay = { now: 0, most: 0 };
  const rig = await startRig((response) => {
    underWay.most = Math.max(underWay.most, ++underWay.now);
    setTimeout(() => {
      underWay.now -= 1;
      response.end(`answer ${rig.served.length}`);
    }, 5);
  });
  const { received } = rig.open(GET.repeat(6));
  await expect.poll(received).toContain("answer 6");
  expect(received().match(/answer \d/g)).toEqual([1, 2, 3, 4, 5, 6].map((n) => `answer ${n}`));
  expect(underWay.most).toBe(1);
});

it("closes a connection on which too many requests wait", async () => {
  const rig = await startRig(() => {});
  const { closed } = rig.open(GET.repeat(1500));
  await closed;
  expect([rig.counts, rig.served.length]).toEqual([{ too_many_pipelined: 1 }, 1]);
});

it("builds only one answer for a client that does not read, and closes the connection after a while", async () => {
  const rig = await startRig((response) => void response.end(LARGE));
  const { socket } = rig.open(GET.repeat(5), false);
  await expect.poll(() => rig.counts, { timeout: 5000 }).toEqual({ answer_unread: 1 });
  expect(rig.served).toHaveLength(1);
  socket.destroy();
});

it("lets a slow reader finish, and lets a client wait whose answer is not ready", async () => {
  const rig = await startRig((response) => void setTimeout(() => response.end("late"), 2 * FEW.readMs));
  const { received } = rig.open(GET);
  await expect.poll(received).toContain("late");
  expect(rig.counts).toEqual({});
});

it("does not cut off an answer that continues, such as the live feed", async () => {
  const rig = await startRig((response) => void response.write("watching"));
  const { socket } = rig.open(GET, false);
  await sleep(2 * FEW.readMs);
  expect([rig.counts, socket.destroyed]).toEqual([{}, false]);
});

it("closes connections beyond the limit at once, and accepts others when one has closed", async () => {
  const rig = await startRig(end);
  const open = [rig.open(GET), rig.open(GET), rig.open(GET)];
  for (const { received } of open) await expect.poll(received).toContain("ok");
  await rig.open(GET).closed;
  expect(rig.counts).toEqual({ too_many_connections: 1 });
  open[0]?.socket.destroy();
  await expect.poll(() => rig.open(GET).received().length + rig.served.length).toBeGreaterThan(3);
});

it.each([
  ["text that is not HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", 400, "request_unreadable"],
  ["a header without a name", "GET / HTTP/1.1\r\n: x\r\n\r\n", 400, "request_unreadable"],
  [
    "two lengths",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    400,
    "request_unreadable",
  ],
  ["no Host", "GET / HTTP/1.1\r\n\r\n", 400, "request_unreadable"],
  [
    "headers of 20 kB",
    `GET / HTTP/1.1\r\nHost: x\r\nCookie: ${"x".repeat(20_000)}\r\n\r\n`,
    431,
    "headers_too_large",
  ],
])("refuses %s with a JSON error, and counts it", async (_what, text, status, code) => {
  const rig = await startRig(end);
  const { received } = rig.open(text);
  await expect.poll(received).toMatch(new RegExp(`^HTTP/1.1 ${status} .*"code":"${code}"`, "s"));
  expect([rig.counts, rig.served]).toEqual([{ [code]: 1 }, []]);
});

it("writes nothing after an answer that has begun if the next request cannot be parsed", async () => {
  const rig = await startRig((response) => void response.write("begun"));
  const { closed, received } = rig.open(`${GET}nonsense\r\n\r\n`);
  await closed;
  expect(received()).not.toContain("request_unreadable");
  expect(rig.counts).toEqual({ request_unreadable: 1 });
});

it.each([
  ["POST", "/v1/track", "ingest POST /v1/track"],
  ["POST", "//v1/track", "ingest POST /v1/track"],
  ["POST", "/v1//track", "ingest POST /v1/track"],
  ["POST", "///v1///track//", "ingest POST /v1/track/"],
  ["POST", "http://host/v1/track", "ingest POST /v1/track"],
  ["POST", "HTTPS://user@host:8443//v1/track?a=//b", "ingest POST /v1/track?a=//b"],
  ["GET", "http://host", "others GET /"],
  ["GET", "http://host?a=1", "others GET /?a=1"],
  ["GET", "//privacy", "others GET /privacy"],
  ["GET", "/v1/pixel/page?url=http://a//b", "ingest GET /v1/pixel/page?url=http://a//b"],
  ["GET", "/v1", "others GET /v1"],
  ["OPTIONS", "*", "others OPTIONS *"],
])("normalises the target of %s %s", async (method, target, served) => {
  const rig = await startRig(end);
  const { received } = rig.open(`${method} ${target} HTTP/1.1\r\nHost: x\r\nExpect: what\r\n\r\n`);
  await expect.poll(received).toContain("200");
  expect(rig.served).toEqual([served]);
});
