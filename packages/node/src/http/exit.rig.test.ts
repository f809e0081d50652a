import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
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

/** Runs a program with `client`, `post(url, timeoutMs, bytes)`, `tell(post)` and `silentDns` at hand. @param keepsStdin leaves its standard input open */
async function run(program: string, keepsStdin = false): Promise<Ended> {
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
  const child = spawn(process.execPath, ["--input-type=module", "-e", `${head}\n${program}`], { env: {} });
  if (!keepsStdin) child.stdin.end();
  ends.push(() => child.kill("SIGKILL"));
  const [[code], stdout, stderr] = await Promise.all([
    once(child, "close"),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr, resent: dns.queries.length - new Set(dns.queries).size };
}

/** Takes DNS queries and says nothing, as behind a firewall that drops them. */
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

// What a post waits for here lasts a minute, and DNS queries are repeated after four seconds.
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

  it("without waiting for an answer that may come", async () => {
    const server = await startWireServer((socket) => void socket.resume());
    ends.push(() => server.close());
    const ended = await run(`tell(post("${server.url}", 60_000, 2));`);
    expect(ended).toEqual({ code: 0, stdout: "exit\n", stderr: "", resent: 0 });
    expect(server.connections).toBe(1);
  });
});

describe("a process that lives on", () => {
  it("by a timer of its own has its DNS queries left alone", async () => {
    const { stdout, stderr } = await run(`
      const outcome = await Promise.race([post(silentDns), new Promise((resolve) => setTimeout(resolve, 1500, "waiting"))]);
      console.log(outcome);
      process.exit();`);
    expect({ stdout, stderr }).toEqual({ stdout: "waiting\nexit\n", stderr: "" });
  });

  it("by its standard input is mistaken once, and never again", async () => {
    const { stdout, stderr } = await run(
      `process.stdin.resume();
       const first = await post(silentDns);
       console.log(first.fault);
       const second = await post(silentDns, 2500);
       console.log(second.fault);
       const third = await post(silentDns, 500);
       console.log(third.fault);
       process.exit();`,
      true,
    );
    expect({ stdout, stderr }).toEqual({ stdout: "cancelled\ntimeout\ntimeout\nexit\n", stderr: "" });
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
