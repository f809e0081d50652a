import type { Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createHttpClient, type HttpClient, type HttpClientOptions, type HttpPost } from "./client.ts";
import { type NameReply, startNameServer } from "./rig/name-server.ts";
import { onRequest, startWireServer, type WireServer } from "./rig/wire-server.ts";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function client(options: Partial<HttpClientOptions> = {}): HttpClient {
  const made = createHttpClient({ environment: {}, hostsFile: "/nonexistent/hosts", ...options });
  ends.push(() => made.close());
  return made;
}

async function serving(serve: (socket: Socket, number: number) => void): Promise<WireServer> {
  const server = await startWireServer(serve);
  ends.push(() => server.close());
  return server;
}

function answering(text: string): Promise<WireServer> {
  return serving((socket) => onRequest(socket, () => void socket.write(text)));
}

async function nameService(reply: NameReply): Promise<NonNullable<HttpClientOptions["nameService"]>> {
  const server = await startNameServer(() => reply);
  ends.push(() => server.close());
  return { createResolver: server.createResolver, lookupBySystem: () => Promise.reject(new Error("none")) };
}

const to = (url: URL | string, more: Partial<HttpPost> = {}): HttpPost => ({
  url: new URL(url),
  headers: { authorization: "Basic a2V5Og==" },
  body: Buffer.from('{"batch":[]}'),
  timeoutMs: 10_000,
  ...more,
});
const failed = (fault: string) => ({ ok: false, fault });
const answered = (status: number, body = "", retryAfterMs?: number, dateMs?: number) => ({
  ok: true,
  answer: { status, retryAfterMs, dateMs, body },
});
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("a post", () => {
  it("sends exactly the given headers and body, plus Host and Content-Length", async () => {
    const requests: { head: string; body: string }[] = [];
    const server = await serving((socket) =>
      onRequest(socket, (request) => {
        requests.push(request);
        socket.write(OK);
      }),
    );
    const url = new URL(`${server.url}?x=1`);
    expect(await client().post(to(url))).toEqual(answered(200, "{}"));
    expect(requests).toEqual([
      {
        head: `POST /v1/batch?x=1 HTTP/1.1\r\nauthorization: Basic a2V5Og==\r\nhost: ${url.host}\r\nConnection: keep-alive\r\nContent-Length: 12\r\n\r\n`,
        body: '{"batch":[]}',
      },
    ]);
  });

  it.each<[why: string, text: string, outcome: object]>([
    ["an empty answer", "HTTP/1.1 204 No Content\r\n\r\n", answered(204)],
    [
      "an answer in chunks",
      "HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
      answered(400, "abc"),
    ],
    [
      "a redirect, not followed",
      "HTTP/1.1 308 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
      answered(308),
    ],
    [
      "Retry-After in seconds",
      "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
      answered(429, "", 7000),
    ],
    [
      "Retry-After as a date",
      "HTTP/1.1 503 Full\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\nRetry-After: Mon, 23 Nov 2026 12:00:09 GMT\r\nContent-Length: 0\r\n\r\n",
      answered(503, "", 9000, Date.UTC(2026, 10, 23, 12)),
    ],
    ["a hint before the answer", `HTTP/1.1 103 Early\r\nLink: <x>\r\n\r\n${OK}`, answered(200, "{}")],
    ["UTF-8", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\u20ac", answered(200, "\u20ac")],
    ["no HTTP at all", "SSH-2.0-OpenSSH_9.2\r\n", failed("protocol")],
    ["a bad length", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", failed("protocol")],
    ["a bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", failed("protocol")],
    ["endless headers", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}\r\n`, failed("protocol")],
    [
      "an upgrade that was not requested",
      "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
      failed("protocol"),
    ],
    [
      "an answer of a megabyte",
      `HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n${"x".repeat(1_048_576)}`,
      answered(200, "x".repeat(1_048_576)),
    ],
    [
      "an answer in chunks of one byte",
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(2000)}`,
      failed("answer_too_large"),
    ],
    [
      "an answer of a megabyte and a byte",
      `HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n${"x".repeat(1_048_577)}`,
      failed("answer_too_large"),
    ],
  ])("reads %s", async (_why, text, outcome) => {
    const server = await answering(text);
    const there = client();
    expect(await there.post(to(server.url))).toEqual(outcome);
    if ("fault" in outcome) await until(() => server.open === 0);
  });

  it("reads an answer that arrives byte by byte", async () => {
    const server = await serving((socket) => onRequest(socket, () => void writeByByte(socket)));
    expect(await client().post(to(server.url))).toEqual(answered(200, "{}"));
  });

  it("reads an answer that ends when the connection closes", async () => {
    const server = await serving((socket) =>
      onRequest(socket, () => socket.end("HTTP/1.1 200 OK\r\n\r\nall")),
    );
    expect(await client().post(to(server.url))).toEqual(answered(200, "all"));
  });

  it.each<[why: string, text: string]>([
    ["before any answer", ""],
    ["in the middle of the headers", "HTTP/1.1 200 OK\r\nContent-"],
    ["in the middle of the body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"],
    ["in the middle of a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc"],
  ])("is reset when the server closes %s, and is not sent again", async (_why, text) => {
    for (const end of [
      (socket: Socket) => void socket.end(text),
      (socket: Socket) => void socket.write(text, () => socket.resetAndDestroy()),
    ]) {
      const server = await serving((socket) => onRequest(socket, () => end(socket)));
      expect(await client().post(to(server.url))).toEqual(failed("reset"));
      expect(server.connections).toBe(1);
    }
  });

  it("accepts an answer that arrives before the whole body was sent, and stops sending", async () => {
    const server = await serving((socket) => {
      socket.pause();
      socket.write("HTTP/1.1 413 Too long\r\nContent-Length: 0\r\n\r\n");
    });
    expect(await client().post(to(server.url, { body: Buffer.alloc(30_000_000) }))).toEqual(answered(413));
    server.close();
  });

  it.each<[why: string, serve: (socket: Socket) => void]>([
    ["never answers", (socket) => onRequest(socket, () => undefined)],
    ["never reads", (socket) => void socket.pause()],
    ["answers without end", (socket) => onRequest(socket, () => void drip(socket))],
  ])("times out as a whole if the server %s", async (_why, serve) => {
    const server = await serving(serve);
    const post = to(server.url, { timeoutMs: 300, body: Buffer.alloc(30_000_000) });
    expect(await client().post(post)).toEqual(failed("timeout"));
    if (server.open > 0) server.close();
  });

  it("is refused if nothing listens", async () => {
    const server = await answering(OK);
    server.close();
    expect(await client().post(to(server.url))).toEqual(failed("refused"));
  });

  it("to a name that does not exist is a DNS fault", async () => {
    const there = client({ nameService: await nameService("nxdomain") });
    expect(await there.post(to("http://collector.test/"))).toEqual(failed("dns"));
  });

  it("times out during the name look-up too", async () => {
    const there = client({ nameService: await nameService("silent") });
    expect(await there.post(to("http://collector.test/", { timeoutMs: 100 }))).toEqual(failed("timeout"));
  });

  it("tries the next address if one does not accept the connection", async () => {
    const server = await answering(OK);
    const url = `http://collector.test:${server.url.port}/`;
    const there = client({ nameService: await nameService(["127.0.0.9", "127.0.0.1"]) });
    expect(await there.post(to(url))).toEqual(answered(200, "{}"));
  });

  it.each<[why: string, post: HttpPost]>([
    ["a header that HTTP does not allow", to("http://127.0.0.1:1/", { headers: { x: "a\r\nb: c" } })],
    ["another protocol", to("ftp://127.0.0.1/")],
  ])("with %s is a fault, not an exception", async (_why, post) => {
    expect(await client().post(post)).toEqual(failed("other"));
  });

  it("may have a timeout longer than a timer supports", async () => {
    const server = await answering(OK);
    expect(await client().post(to(server.url, { timeoutMs: Number.MAX_SAFE_INTEGER }))).toEqual(
      answered(200, "{}"),
    );
  });
});

async function writeByByte(socket: Socket): Promise<void> {
  for (const byte of OK) {
    socket.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function drip(socket: Socket): Promise<void> {
  socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  while (!socket.destroyed) {
    socket.write("1\r\nx\r\n");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("a kept connection", () => {
  it("is used for the next posts", async () => {
    const server = await answering(OK);
    const there = client();
    for (let n = 0; n < 3; n++) expect(await there.post(to(server.url))).toEqual(answered(200, "{}"));
    expect(server.connections).toBe(1);
  });

  it("that the server has closed is replaced without a fault, whenever it closes", async () => {
    const bodies: string[] = [];
    const server = await serving((socket) =>
      onRequest(socket, ({ body }) => {
        bodies.push(body);
        socket.write(OK, () => socket.resetAndDestroy());
      }),
    );
    const there = client();
    for (let n = 0; n < 50; n++) {
      expect(await there.post(to(server.url, { body: Buffer.from(String(n)) }))).toEqual(answered(200, "{}"));
    }
    expect(bodies).toEqual(Array.from({ length: 50 }, (_, n) => String(n)));
  });

  it("that closes on the second request is replaced, and the post is retried once", async () => {
    const server = await serving((socket, number) => {
      let requests = 0;
      onRequest(socket, () => {
        requests += 1;
        if (number === 1 && requests === 2) socket.destroy();
        else socket.write(OK);
      });
    });
    const there = client();
    expect(await there.post(to(server.url))).toEqual(answered(200, "{}"));
    expect(await there.post(to(server.url))).toEqual(answered(200, "{}"));
    expect(server.connections).toBe(2);
  });

  it("that closes on the second request, like the one that replaces it, is a fault", async () => {
    const server = await serving((socket, number) => {
      let requests = 0;
      onRequest(socket, () => {
        requests += 1;
        if (number === 1 && requests === 1) socket.write(OK);
        else socket.destroy();
      });
    });
    const there = client();
    expect(await there.post(to(server.url))).toEqual(answered(200, "{}"));
    expect(await there.post(to(server.url))).toEqual(failed("reset"));
    expect(server.connections).toBe(2);
  });

  it("that has begun to answer is not replaced, and the post is not retried", async () => {
    const server = await serving((socket) => {
      let requests = 0;
      onRequest(socket, () => {
        requests += 1;
        if (requests === 1) socket.write(OK);
        else socket.end("HTTP/1.1 200");
      });
    });
    const there = client();
    expect(await there.post(to(server.url))).toEqual(answered(200, "{}"));
    expect(await there.post(to(server.url))).toEqual(failed("reset"));
    expect(server.connections).toBe(1);
  });
});

describe("the client", () => {
  it.each<[how: string, close: (there: HttpClient, life: AbortController) => void]>([
    ["it is closed", (there) => there.close()],
    ["its signal is aborted", (_there, life) => life.abort()],
  ])("ends posts in every stage when %s, and leaves no connection", async (_how, close) => {
    const server = await serving((socket) => onRequest(socket, () => undefined));
    const life = new AbortController();
    const there = client({ nameService: await nameService("silent"), signal: life.signal });
    const posts = [server.url, "http://collector.test/", server.url].map((url) => there.post(to(url)));
    await until(() => server.open === 2);
    close(there, life);
    expect(await Promise.all(posts)).toEqual([failed("cancelled"), failed("cancelled"), failed("cancelled")]);
    expect(await there.post(to(server.url))).toEqual(failed("cancelled"));
    await until(() => server.open === 0);
    close(there, life);
  });

  it("closes its idle connections when it is closed", async () => {
    const server = await answering(OK);
    const there = client();
    await there.post(to(server.url));
    expect(server.open).toBe(1);
    there.close();
    await until(() => server.open === 0);
  });

  it("ends a post whose signal is aborted, and no other", async () => {
    const waiting: Socket[] = [];
    const server = await serving((socket) =>
      onRequest(socket, ({ body }) => {
        if (body === "other") waiting.push(socket);
      }),
    );
    const there = client({ nameService: await nameService("silent") });
    const ending = new AbortController();
    const { signal } = ending;
    const ended = [server.url, "http://collector.test/"].map((url) => there.post(to(url, { signal })));
    const other = there.post(to(server.url, { body: Buffer.from("other") }));
    await until(() => server.open === 2 && waiting.length === 1);
    ending.abort();
    expect(await Promise.all(ended)).toEqual([failed("cancelled"), failed("cancelled")]);
    waiting[0]?.write(OK);
    expect(await other).toEqual(answered(200, "{}"));
  });

  it("opens no connection for a post whose signal was already aborted", async () => {
    const server = await answering(OK);
    const there = client();
    expect(await there.post(to(server.url, { signal: AbortSignal.abort() }))).toEqual(failed("cancelled"));
    expect(await there.post(to(server.url))).toEqual(answered(200, "{}"));
    expect(server.connections).toBe(1);
  });
});

describe("after 500 posts of every kind", () => {
  it("nothing is left behind: no handle, no open file, no warning, no unhandled rejection", async () => {
    const noise: unknown[] = [];
    const hear = (what: unknown): void => void noise.push(what);
    const events = ["unhandledRejection", "uncaughtExceptionMonitor", "warning"] as const;
    for (const event of events) process.on(event, hear);
    const texts = [OK, "", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "nonsense\r\n\r\n"];
    const server = await serving((socket, number) =>
      onRequest(socket, ({ body }) => {
        const text = texts[Number(body) % texts.length] ?? OK;
        if (number % 7 === 0) socket.resetAndDestroy();
        else if (text === OK) socket.write(OK);
        else socket.end(text);
      }),
    );
    const there = client({ nameService: await nameService("nxdomain") });
    const run = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n += 5) {
        const batch = [0, 1, 2, 3].map((m) => there.post(to(server.url, { body: Buffer.from(`${n + m}`) })));
        await Promise.all([...batch, there.post(to("http://collector.test/"))]);
      }
    };
    const active = (): string[] => process.getActiveResourcesInfo().sort();
    const sockets = (): number => active().filter((name) => name === "TCPSocketWrap").length;
    const socketsOfOthers = sockets(); // from test files that ran earlier in this process
    await run(50);
    await until(() => server.open <= 2);
    const before = active();
    await run(500);
    await until(() => server.open <= 2);
    there.close();
    await until(() => server.open === 0);
    await expect.poll(() => sockets()).toBeLessThanOrEqual(socketsOfOthers);
    const others = (names: string[]): string[] =>
      names.filter((name) => name !== "Timeout" && name !== "TCPSocketWrap");
    expect(others(active())).toEqual(others(before));
    for (const event of events) process.off(event, hear);
    expect(noise).toEqual([]);
  });
});
