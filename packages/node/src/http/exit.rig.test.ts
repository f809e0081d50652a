import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { makeRigFolder } from "../rig/child.ts";
import { onRequest, startWireServer } from "./rig/wire-server.ts";

const CLIENT = new URL("../../dist/http/client.js", import.meta.url).href;

const ends: (() => void)[] = [];
afterEach(endAll);
function endAll(): void {
  for (const end of ends.splice(0)) end();
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** How many DNS queries were repeated, because the first had timed out. */
  readonly resent: number;
}

/**
 * Runs a program that can use `client`, `post(url, timeoutMs, bytes)`, `tell(post)` and `silentDns`.
 * @param isTalkedTo leaves the program's standard input open, and gives it a channel for messages
 */
async function run(program: string, isTalkedTo = false): Promise<Ended> {
  const dns = await startSilentDns();
  const head = `
    import { Resolver } from "node:dns/promises";
    import { createHttpClient } from ${JSON.stringify(CLIENT)};
    const createResolver = () => {
      const resolver = new Resolver({ timeout: 4000, tries: 2 });
      resolver.setServers(["127.0.0.1:${dns.port}"]);
      return resolver;
    };
    const lookupBySystem = () => Promise.reject(new Error("not asked for"));
    const client = createHttpClient({ environment: {}, hostsFile: "/nonexistent/hosts", nameService: { createResolver, lookupBySystem } });
    const post = (url, timeoutMs = 60_000, bytes = 30_000_000) => client.post({ url: new URL(url), headers: {}, body: Buffer.alloc(bytes), timeoutMs });
    const tell = (asked) => asked.then(({ fault }) => console.log(fault));
    const silentDns = "http://collector.test/";
    process.on("exit", () => console.log("exit"));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", `${head}\n${program}`], {
    env: { SOCKET: join(makeRigFolder(), "socket") },
    stdio: isTalkedTo ? ["pipe", "pipe", "pipe", "ipc"] : "pipe",
  });
  const { stdin, stdout: out, stderr: err } = child;
  if (stdin === null || out === null || err === null) throw new Error("it has no streams");
  if (!isTalkedTo) stdin.end();
  ends.push(() => child.kill("SIGKILL"));
  const [[code], stdout, stderr] = await Promise.all([once(child, "close"), text(out), text(err)]);
  return { code, stdout, stderr, resent: dns.queries.length - new Set(dns.queries).size };
}

/** Starts a DNS server that never answers, as behind a firewall that drops queries. */
async function startSilentDns(): Promise<{ port: number; queries: string[] }> {
  const queries: string[] = [];
  const socket = createSocket("udp4", (query) => void queries.push(query.toString("latin1")));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  ends.push(() => socket.close());
  return { port: socket.address().port, queries };
}

async function silentServer(): Promise<string> {
  const server = await startWireServer((socket) => void socket.pause());
  ends.push(() => server.close());
  return server.url.href;
}

// A post here may take up to a minute, and DNS queries are repeated after four seconds.
describe("a process that has nothing else to do ends", () => {
  it.each<[why: string, program: (url: string) => string, faults: string]>([
    ["while DNS is silent", () => "tell(post(silentDns));", "cancelled\n"],
    ["in the middle of sending", (url) => `tell(post("${url}"));`, "cancelled\n"],
    [
      "with posts in line",
      (url) => `for (const to of ["${url}", silentDns, silentDns]) tell(post(to));`,
      "cancelled\n".repeat(3),
    ],
    [
      "by process.exit() while DNS is silent",
      () => "tell(post(silentDns)); setTimeout(() => process.exit(), 100);",
      "",
    ],
    [
      "with a closed client",
      () => "tell(post(silentDns)); setTimeout(() => client.close(), 100);",
      "cancelled\n",
    ],
  ])("%s", async (_why, program, faults) => {
    const ended = await run(program(await silentServer()));
    expect(ended).toEqual({ code: 0, stdout: `${faults}exit\n`, stderr: "", resent: 0 });
  });

  it("without waiting for an answer that may still arrive", async () => {
    const server = await startWireServer((socket) => void socket.resume());
    ends.push(() => server.close());
    const ended = await run(`tell(post("${server.url}", 60_000, 2));`);
    expect(ended).toEqual({ code: 0, stdout: "exit\n", stderr: "", resent: 0 });
    expect(server.connections).toBe(1);
  });
});

describe("a process that is kept alive", () => {
  it("by its own timer keeps its DNS queries", async () => {
    const { stdout, stderr } = await run(`
      const outcome = await Promise.race([post(silentDns), new Promise((resolve) => setTimeout(resolve, 1500, "waiting"))]);
      console.log(outcome);
      process.exit();`);
    expect({ stdout, stderr }).toEqual({ stdout: "waiting\nexit\n", stderr: "" });
  });

  it.each([
    ["its standard input", "process.stdin.resume();"],
    ["lines of its standard input", "void (async () => { for await (const _ of process.stdin); })();"],
    ["messages of its parent process", 'process.on("message", () => undefined);'],
    [
      "a connection to a unix socket",
      `const { createServer, connect } = await import("node:net");
       const server = createServer().listen(process.env.SOCKET).unref();
       connect(process.env.SOCKET).resume();`,
    ],
  ])("by %s keeps its first post", async (_what, life) => {
    const { stdout, stderr } = await run(
      `${life}
       const first = await post(silentDns, 1200);
       console.log(first.fault);
       const second = await post(silentDns, 300);
       console.log(second.fault);
       process.exit();`,
      true,
    );
    expect({ stdout, stderr }).toEqual({ stdout: "timeout\ntimeout\nexit\n", stderr: "" });
  });

  it.each([
    ["only accesses its standard input", "process.stdin;"],
    ["has unref'd its standard input", "process.stdin.resume().unref();"],
    ["does not listen to its parent process", "process.connected;"],
  ])("excludes one that %s: its post is cancelled", async (_what, life) => {
    const { stdout, stderr } = await run(`${life}\ntell(post(silentDns));`, true);
    expect({ stdout, stderr }).toEqual({ stdout: "cancelled\nexit\n", stderr: "" });
  });
});

describe("an idle connection", () => {
  it("is closed by the client after some seconds", async () => {
    const server = await startWireServer((socket) =>
      onRequest(socket, () => void socket.write("HTTP/1.1 204 No Content\r\n\r\n")),
    );
    ends.push(() => server.close());
    const ended = run(`
      setInterval(() => undefined, 1000);
      const { answer } = await post("${server.url}", 60_000, 2);
      console.log(answer.status);`);
    while (server.connections === 0 || server.open > 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(server.connections).toBe(1);
    endAll();
    expect((await ended).stdout).toBe("204\n");
  });
});
