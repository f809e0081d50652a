// @module-tag root
// @module-tag mounts
// @module-tag ip
// @module-tag strace
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const CLIENT = new URL("../../dist/http/client.js", import.meta.url).href;
/** The address of a name server that receives queries and never answers. */
const SILENT_SERVER = "127.77.0.53";

const root = mkdtempSync(join(tmpdir(), "candor-exit-"));
const resolvConf = join(root, "resolv.conf");
const queries: string[] = [];
const silent = createSocket("udp4", (query) => void queries.push(query.toString("latin1")));

beforeAll(async () => {
  writeFileSync(resolvConf, `nameserver ${SILENT_SERVER}\noptions timeout:1 attempts:3\n`);
  silent.bind(53, SILENT_SERVER);
  await once(silent, "listening");
});
afterAll(() => {
  silent.close();
  rmSync(root, { recursive: true });
});

const OURS = `
  import { createHttpClient } from ${JSON.stringify(CLIENT)};
  const client = createHttpClient({ environment: {} });
  const start = (url) => client.post({ url: new URL(url), headers: {}, body: Buffer.from("{}"), timeoutMs: 60_000 }).then(({ fault }) => console.log(fault));`;
/** Makes the same request with node:https and an unref'd socket. */
const PLAIN = `
  import { request } from "node:https";
  const start = (url) => request(url, { method: "POST" })
    .on("error", (error) => console.log(error.code)).on("socket", (socket) => socket.unref()).end("{}");`;

interface Ended {
  readonly status: number | null;
  readonly output: string;
  readonly ranMs: number;
}

/**
 * Runs a program in a namespace of its own.
 * @param prepare a shell command that runs first
 * @param kind `-m`: mounts, `-n`: network
 */
async function run(program: string, prepare: string, kind: "-m" | "-n"): Promise<Ended> {
  const script = `${prepare} && exec "$NODE" --input-type=module -e "$PROGRAM"`;
  const startedMs = performance.now();
  const child = spawn("sh", ["-c", `exec unshare ${kind} sh -c "$SCRIPT"`], {
    env: { PATH: process.env.PATH, NODE: process.execPath, SCRIPT: script, PROGRAM: program },
  });
  const [[status], ...streams] = await Promise.all([
    once(child, "close"),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { status, output: streams.join(""), ranMs: performance.now() - startedMs };
}

/**
 * Runs a program whose name server never answers. @returns also how many DNS queries were repeated: none,
 * unless the first one timed out
 */
async function runUnderSilentDns(program: string): Promise<Ended & { resent: number }> {
  queries.length = 0;
  const ended = await run(program, `mount --bind ${resolvConf} /etc/resolv.conf`, "-m");
  // glibc repeats a query with the same id or with a new one, so the id is left out.
  const asked = queries.map((query) => query.slice(2));
  expect(asked.length).toBeGreaterThan(0);
  return { ...ended, resent: asked.length - new Set(asked).size };
}

describe("with a name server that never answers, a process", () => {
  it.each([
    ["by itself", 'start("https://collector.example/");', "cancelled\n"],
    ["by process.exit()", 'start("https://collector.example/"); setTimeout(() => process.exit(), 200);', ""],
  ])(
    "ends %s before a query has timed out, unlike one that uses node:https",
    async (_how, program, printed) => {
      const ours = await runUnderSilentDns(`${OURS}${program}`);
      expect(ours).toEqual({ status: 0, output: printed, ranMs: expect.any(Number), resent: 0 });
      const plain = await runUnderSilentDns(`${PLAIN}${program}`);
      expect(plain.status).toBe(0);
      expect(plain.resent).toBeGreaterThan(0);
      expect(ours.ranMs).toBeLessThan(plain.ranMs);
    },
  );
});

describe("if connections are neither accepted nor refused, a process", () => {
  it("ends by itself, long before the post's timeout", async () => {
    const network = "ip link set lo up && ip route add 192.0.2.0/24 dev lo";
    const ended = await run(`${OURS}start("https://192.0.2.1/");`, network, "-n");
    expect(ended).toEqual({ status: 0, output: "cancelled\n", ranMs: expect.any(Number) });
  });
});
