import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { createHttpClient, type HttpClient, type HttpClientOptions, type HttpOutcome } from "./client.ts";
import { type ProxyServerOptions, startProxyServer } from "./rig/proxy-server.ts";
import { onRequest, startWireServer, type WireServer } from "./rig/wire-server.ts";

const fixture = (name: string): string =>
  readFileSync(new URL(`./fixtures/${name}`, import.meta.url), "utf8");
const key = fixture("test-only-key.pem");
const cert = fixture("test-only-certificate.pem");

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

interface Collector {
  readonly port: number;
  /** The method, the path and some headers of each request. */
  readonly requests: object[];
  /** The server names that clients sent during the TLS handshake. */
  readonly serverNames: unknown[];
  readonly open: number;
}

/**
 * Starts an https collector on loopback that accepts everything.
 * @param closing how the collector closes a connection that carries a second request; undefined: it answers
 * that request too
 */
async function startCollector(options: object = {}, closing?: "end" | "destroy"): Promise<Collector> {
  const served = new WeakSet<Socket>();
  const requests: object[] = [];
  const serverNames: unknown[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer({ key, cert, ...options }, (request, answer) => {
    if (closing !== undefined && served.has(request.socket)) return void request.socket[closing]();
    served.add(request.socket);
    const { host, authorization } = request.headers;
    const proxyAuthorization = request.headers["proxy-authorization"];
    requests.push({ line: `${request.method} ${request.url}`, host, authorization, proxyAuthorization });
    request.resume().on("end", () => answer.end("{}"));
  });
  server.on(
    "secureConnection",
    (socket: TLSSocket) => void serverNames.push("servername" in socket ? socket.servername : undefined),
  );
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    port,
    requests,
    serverNames,
    get open() {
      return sockets.size;
    },
  };
}

function client(options: Partial<HttpClientOptions> = {}): HttpClient {
  const made = createHttpClient({ environment: {}, hostsFile: "/nonexistent/hosts", ca: cert, ...options });
  ends.push(() => made.close());
  return made;
}

function post(there: HttpClient, url: string): Promise<HttpOutcome> {
  const headers = { authorization: "Basic a2V5Og==" };
  return there.post({ url: new URL(url), headers, body: Buffer.from("{}"), timeoutMs: 10_000 });
}

const OK = {
  ok: true,
  answer: { status: 200, retryAfterMs: undefined, dateMs: expect.any(Number), body: "{}" },
};
const failed = (fault: string) => ({ ok: false, fault });
const REQUEST = {
  line: "POST /v1/batch?x=1",
  authorization: "Basic a2V5Og==",
  proxyAuthorization: undefined,
};

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("over TLS", () => {
  it("a post is answered, and the connection is kept", async () => {
    const collector = await startCollector();
    const there = client();
    for (let n = 0; n < 3; n++)
      expect(await post(there, `https://localhost:${collector.port}/v1/batch?x=1`)).toEqual(OK);
    expect(collector.serverNames).toEqual(["localhost"]);
    expect(collector.requests).toEqual(Array(3).fill({ ...REQUEST, host: `localhost:${collector.port}` }));
    there.close();
    await until(() => collector.open === 0);
  });

  it("an address is checked against the certificate, and is not sent as a server name", async () => {
    const collector = await startCollector();
    expect(await post(client(), `https://127.0.0.1:${collector.port}/`)).toEqual(OK);
    expect(collector.serverNames).toEqual([false]);
  });

  it("a certificate that is not trusted is a TLS fault: nothing is sent, and no connection is left", async () => {
    const collector = await startCollector();
    const there = createHttpClient({ environment: {} });
    expect(await post(there, `https://localhost:${collector.port}/`)).toEqual(failed("tls"));
    await until(() => collector.open === 0);
    expect(collector.requests).toEqual([]);
  });

  it("a certificate for another name is a TLS fault", async () => {
    const collector = await startCollector();
    const url = `https://app.localhost:${collector.port}/`;
    expect(await post(client(), url)).toEqual(failed("tls"));
    await until(() => collector.open === 0);
    expect(collector.requests).toEqual([]);
  });

  it("a server that requires a client certificate is a TLS fault", async () => {
    const collector = await startCollector({ requestCert: true, rejectUnauthorized: true });
    expect(await post(client(), `https://localhost:${collector.port}/`)).toEqual(failed("tls"));
    expect(collector.requests).toEqual([]);
  });

  it("a server without a common protocol version is a TLS fault", async () => {
    const collector = await startCollector({ maxVersion: "TLSv1.1", minVersion: "TLSv1" });
    expect(await post(client(), `https://localhost:${collector.port}/`)).toEqual(failed("tls"));
  });

  it("a server that does not speak TLS is a TLS fault", async () => {
    const server = await serving(
      (socket) => void socket.on("data", () => socket.end("HTTP/1.1 400 Bad\r\n\r\n")),
    );
    expect(await post(client(), `https://localhost:${server.url.port}/`)).toEqual(failed("tls"));
  });

  it("a server that closes during the handshake is a reset", async () => {
    const server = await serving((socket) => void socket.on("data", () => socket.end()));
    expect(await post(client(), `https://localhost:${server.url.port}/`)).toEqual(failed("reset"));
  });

  it("a server that is silent during the handshake is a timeout", async () => {
    const server = await serving((socket) => void socket.resume());
    const url = new URL(`https://localhost:${server.url.port}/`);
    const there = client();
    expect(await there.post({ url, headers: {}, body: Buffer.from("{}"), timeoutMs: 200 })).toEqual(
      failed("timeout"),
    );
    await until(() => server.open === 0);
  });

  it.each(["end", "destroy"] as const)(
    "a kept connection that the server closes (by %s) on the second request is replaced",
    async (how) => {
      const collector = await startCollector({}, how);
      const there = client();
      for (let n = 0; n < 5; n++)
        expect(await post(there, `https://localhost:${collector.port}/`)).toEqual(OK);
      expect([collector.requests.length, collector.serverNames.length]).toEqual([5, 5]);
    },
  );
});

async function serving(serve: (socket: Socket) => void): Promise<WireServer> {
  const server = await startWireServer(serve);
  ends.push(() => server.close());
  return server;
}

async function proxying(options: ProxyServerOptions) {
  const proxy = await startProxyServer(options);
  ends.push(() => proxy.close());
  return proxy;
}

const basic = `Basic ${Buffer.from("me:p@ss").toString("base64")}`;

describe("through a proxy", () => {
  it("https uses CONNECT, in one kept tunnel, and the proxy sees no path, key or body", async () => {
    const collector = await startCollector();
    const proxy = await proxying({ targetPort: collector.port });
    const there = client({ environment: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` } });
    for (let n = 0; n < 3; n++) expect(await post(there, "https://collector.test/v1/batch?x=1")).toEqual(OK);
    expect(proxy.requests).toEqual([{ line: "CONNECT collector.test:443", authorization: undefined }]);
    expect(collector.serverNames).toEqual(["collector.test"]);
    expect(collector.requests).toEqual(Array(3).fill({ ...REQUEST, host: "collector.test" }));
    there.close();
    await until(() => collector.open === 0);
  });

  it("http is requested by its whole URL", async () => {
    const requests: string[] = [];
    const server = await serving((socket) =>
      onRequest(socket, ({ head }) => {
        requests.push(head);
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
      }),
    );
    const proxy = await proxying({ targetPort: Number(server.url.port), authorization: basic });
    const there = client({ environment: { http_proxy: `http://me:p%40ss@127.0.0.1:${proxy.port}` } });
    expect(await post(there, "http://collector.test:7226/v1/batch?x=1")).toEqual(OK);
    expect(proxy.requests).toEqual([
      { line: "POST http://collector.test:7226/v1/batch?x=1", authorization: basic },
    ]);
    expect(requests).toEqual([
      expect.stringMatching(/^POST \/v1\/batch\?x=1 HTTP\/1.1\r\n[\s\S]*host: collector.test:7226\r\n/i),
    ]);
  });

  it.each([true, false])(
    "the proxy gets its credentials, and nobody else does (an https proxy: %j)",
    async (isSecure) => {
      const collector = await startCollector();
      const tls = isSecure ? { tls: { key, cert } } : {};
      const proxy = await proxying({ targetPort: collector.port, authorization: basic, ...tls });
      const address = `me:p%40ss@localhost:${proxy.port}`;
      const there = client({ environment: { HTTPS_PROXY: `${isSecure ? "https" : "http"}://${address}` } });
      expect(await post(there, "https://collector.test/v1/batch?x=1")).toEqual(OK);
      expect(proxy.requests).toEqual([{ line: "CONNECT collector.test:443", authorization: basic }]);
      expect(collector.requests).toEqual([{ ...REQUEST, host: "collector.test" }]);
    },
  );

  it("a proxy that requires other credentials is a proxy fault, for https and http", async () => {
    const proxy = await proxying({ targetPort: 1, authorization: basic });
    const address = `http://me:wrong@127.0.0.1:${proxy.port}`;
    const there = client({ environment: { HTTPS_PROXY: address, HTTP_PROXY: address } });
    expect(await post(there, "https://collector.test/")).toEqual(failed("proxy"));
    expect(await post(there, "http://collector.test/")).toEqual(failed("proxy"));
    expect(proxy.requests.map(({ line }) => line)).toEqual([
      "CONNECT collector.test:443",
      "POST http://collector.test/",
    ]);
  });

  it.each<[why: string, connectAnswer: string]>([
    ["refuses", "HTTP/1.1 502 Bad\r\nContent-Length: 3\r\n\r\nabc"],
    ["redirects", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n"],
    ["talks before TLS does", "HTTP/1.1 200 OK\r\n\r\nHello"],
    ["does not speak HTTP", "nonsense\r\n\r\n"],
    ["closes", ""],
    ["closes in the middle", "HTTP/1.1 200"],
  ])("a proxy that %s is a proxy fault", async (_why, connectAnswer) => {
    const proxy = await proxying({ targetPort: 1, connectAnswer });
    const there = client({ environment: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` } });
    expect(await post(there, "https://collector.test/")).toEqual(failed("proxy"));
  });

  it.each<[why: string, value: string]>([
    ["is not there", "http://127.0.0.1:1"],
    ["is of another kind", "socks5://127.0.0.1:1"],
    ["is not a URL", "http://:::"],
  ])("a proxy that %s is a proxy fault, and nothing bypasses it", async (_why, value) => {
    const collector = await startCollector();
    const there = client({ environment: { ALL_PROXY: value } });
    expect(await post(there, `https://localhost:${collector.port}/`)).toEqual(failed("proxy"));
    expect(collector.requests).toEqual([]);
  });

  it("a certificate of an https proxy that is not trusted is a proxy fault; the collector's is a TLS fault", async () => {
    const collector = await startCollector();
    const secure = await proxying({ targetPort: collector.port, tls: { key, cert } });
    const plain = await proxying({ targetPort: collector.port });
    const over = (environment: Record<string, string>) =>
      post(createHttpClient({ environment }), "https://collector.test/");
    expect(await over({ HTTPS_PROXY: `https://localhost:${secure.port}` })).toEqual(failed("proxy"));
    expect(await over({ HTTPS_PROXY: `http://localhost:${plain.port}` })).toEqual(failed("tls"));
    expect(collector.requests).toEqual([]);
  });

  it("a proxy that does not answer is a timeout, and its connection is closed", async () => {
    const silent = await serving((socket) => void socket.resume());
    const there = client({ environment: { HTTPS_PROXY: `http://127.0.0.1:${silent.url.port}` } });
    const url = new URL("https://collector.test/");
    expect(await there.post({ url, headers: {}, body: Buffer.from("{}"), timeoutMs: 200 })).toEqual(
      failed("timeout"),
    );
    await until(() => silent.open === 0);
  });

  it("a target in NO_PROXY is reached directly", async () => {
    const collector = await startCollector();
    const there = client({ environment: { HTTPS_PROXY: "http://127.0.0.1:1", NO_PROXY: "localhost" } });
    expect(await post(there, `https://localhost:${collector.port}/`)).toEqual(OK);
  });
});
