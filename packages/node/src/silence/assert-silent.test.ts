import childProcess, {
  exec,
  execFile,
  execFileSync,
  execSync,
  fork,
  spawn,
  spawnSync,
} from "node:child_process";
import dgram, { createSocket } from "node:dgram";
import dns, { promises as dnsPromises, lookup, lookupService, Resolver } from "node:dns";
import { once } from "node:events";
import fs, {
  appendFileSync,
  closeSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  promises,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFile,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer, get } from "node:http";
import { get as getSecurely } from "node:https";
import net, { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectSecurely } from "node:tls";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTelemetry } from "../create-telemetry.ts";
import { APPSMITH } from "../rig/in-process.ts";
import { receipt } from "../rig/receipt.ts";
import type { Telemetry } from "../telemetry.ts";
import { assertSilent, SilenceError, type SilenceOptions } from "./assert-silent.ts";

const dir = mkdtempSync(join(tmpdir(), "candor-silent-"));
/** The time is short, because there are many cases. It suffices, because work is reported when it starts. */
const QUICK: SilenceOptions = { settleMs: 20 };
/** A name whose lookup contacts no name server, because a label may have at most 63 characters. */
const NOBODY = `${"a".repeat(64)}.invalid`;
let port: number;
let close: () => void;

beforeAll(async () => {
  for (const name of ["8", "12", "13", "15", "16", "17", "18"]) writeFileSync(file(name), "x");
  mkdirSync(file("19"));
  const server = createServer((_request, response) => response.end("{}"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
  close = () => {
    server.closeAllConnections();
    server.close();
  };
});

afterAll(() => {
  close();
  rmSync(dir, { recursive: true, force: true });
});

/** Returns what was reported, as `kind target`. */
async function heard(run: () => unknown, options: SilenceOptions = QUICK): Promise<readonly string[]> {
  try {
    await assertSilent(run, options);
    return [];
  } catch (error) {
    if (!(error instanceof SilenceError)) throw error;
    return error.happenings.map(({ kind, target }) => `${kind} ${target}`);
  }
}

function ignore(): void {}

function file(name: string): string {
  return join(dir, name);
}

/** Creates a file before the watch starts. @returns its path */
function made(name: string): string {
  writeFileSync(file(name), "x");
  return file(name);
}

describe("the network", () => {
  const cases: [string, () => unknown, () => readonly string[]][] = [
    ["net", () => connectTo("127.0.0.1", port), () => [`connect 127.0.0.1:${port}`]],
    ["IPv6", () => connectTo("::1", 9), () => ["connect [::1]:9"]],
    ["a unix socket", () => connect(file("s.sock")).on("error", ignore), () => [`pipe ${file("s.sock")}`]],
    [
      "tls",
      () => connectSecurely(port, "127.0.0.1").on("error", ignore),
      () => [`connect 127.0.0.1:${port}`],
    ],
    ["http", () => get(`http://127.0.0.1:${port}`).on("error", ignore), () => [`connect 127.0.0.1:${port}`]],
    [
      "https",
      () => getSecurely(`https://127.0.0.1:${port}`).on("error", ignore),
      () => [`connect 127.0.0.1:${port}`],
    ],
    ["fetch", () => fetch(`http://127.0.0.1:${port}`), () => [`connect 127.0.0.1:${port}`]],
    [
      "http to a name",
      () => get({ host: "localhost", family: 4, port }).on("error", ignore),
      () => [`connect 127.0.0.1:${port}`],
    ],
    ["dns.lookup", () => lookup(NOBODY, ignore), () => [`dns ${NOBODY}`]],
    ["dns.promises.lookup", () => dnsPromises.lookup(NOBODY).catch(ignore), () => [`dns ${NOBODY}`]],
    ["dns.lookupService", () => lookupService("127.0.0.1", 9, ignore), () => ["dns 127.0.0.1"]],
    ["dns.resolve4", () => resolverOf().resolve4("c.invalid", ignore), () => ["dns c.invalid"]],
    [
      "dns.promises.resolveTxt",
      () => promisify(resolverOf().resolveTxt).call(resolverOf(), "d.invalid").catch(ignore),
      () => ["dns d.invalid"],
    ],
  ];
  it.each(cases)("is reported: %s", async (_what, run, expected) => {
    expect(await heard(run)).toEqual(expected());
  });

  it("is reported: datagrams, however they are addressed", async () => {
    const send = async (args: readonly unknown[]): Promise<readonly string[]> => {
      const socket = createSocket("udp4").on("error", ignore);
      const all = await heard(() => Reflect.apply(socket.send, socket, args));
      socket.close();
      return all;
    };
    expect(await send(["x", 9, "127.0.0.1"])).toEqual(["udp 127.0.0.1:9"]);
    expect(await send([Buffer.from("xyz"), 0, 2, 9, "127.0.0.1"])).toEqual(["udp 127.0.0.1:9"]);
    expect(await send(["x", 9])).toEqual(["udp localhost:9"]);
    const connected = createSocket("udp4").on("error", ignore);
    connected.connect(9, "127.0.0.1");
    await once(connected, "connect");
    expect(await heard(() => connected.send("x", ignore))).toEqual(["udp 127.0.0.1:9"]);
    connected.close();
  });

  it("is silent while a product listens and looks up its own machine", async () => {
    const all = await heard(async () => {
      const server = net.createServer();
      await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
      const socket = dgram.createSocket("udp4");
      await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
      await new Promise((resolve) => dns.lookup("127.0.0.1", resolve));
      server.close();
      socket.close();
    });
    expect(all).toEqual([]);
  });
});

/** A resolver whose name server does not exist. */
function resolverOf(): Resolver {
  const resolver = new Resolver({ timeout: 10, tries: 1 });
  resolver.setServers(["127.0.0.1:9"]);
  return resolver;
}

describe("files", () => {
  const cases: [string, () => unknown, readonly string[]][] = [
    ["writeFileSync", () => writeFileSync(file("1"), "x"), [`write ${file("1")}`]],
    ["writeFile", () => promisify(writeFile)(file("2"), "x"), [`write ${file("2")}`]],
    ["promises.writeFile", () => promises.writeFile(file("3"), "x"), [`write ${file("3")}`]],
    [
      "appendFileSync by URL",
      () => appendFileSync(new URL(`file://${file("4")}`), "x"),
      [`write ${file("4")}`],
    ],
    ["a path as bytes", () => fs.writeFileSync(Buffer.from(file("5")), "x"), [`write ${file("5")}`]],
    ["createWriteStream", () => once(createWriteStream(file("6")).end("x"), "close"), [`write ${file("6")}`]],
    ["open for writing", () => closeSync(openSync(file("7"), "wx")), [`write ${file("7")}`]],
    [
      "open for reading and writing, by number",
      () => closeSync(openSync(file("8"), fs.constants.O_RDWR)),
      [`write ${file("8")}`],
    ],
    ["promises.open", async () => (await promises.open(file("9"), "a")).close(), [`write ${file("9")}`]],
    ["mkdirSync", () => mkdirSync(file("10/a"), { recursive: true }), [`write ${file("10/a")}`]],
    ["mkdtemp", () => promises.mkdtemp(file("11-")), [`write ${file("11-")}`]],
    ["copyFile", () => promises.copyFile(file("12"), file("12b")), [`write ${file("12b")}`]],
    [
      "rename",
      () => promises.rename(file("13"), file("13b")),
      [`delete ${file("13")}`, `write ${file("13b")}`],
    ],
    ["symlinkSync", () => fs.symlinkSync("x", file("14")), [`write ${file("14")}`]],
    ["truncate", () => promises.truncate(file("15")), [`write ${file("15")}`]],
    ["unlinkSync", () => unlinkSync(file("16")), [`delete ${file("16")}`]],
    ["rm", () => promisify(fs.rm)(file("17")), [`delete ${file("17")}`]],
    ["promises.rm", () => promises.rm(file("18")), [`delete ${file("18")}`]],
    [
      "rmdirSync",
      () => {
        fs.rmdirSync(file("19"));
      },
      [`delete ${file("19")}`],
    ],
  ];
  it.each(cases)("are reported: %s", async (_what, run, expected) => {
    expect(await heard(run)).toEqual(expected);
  });

  it("are reported even if they were open before", async () => {
    const fd = openSync(made("open-before"), "a");
    const stream = createWriteStream(made("stream-before"), { flags: "a" });
    await once(stream, "open");
    expect(await heard(() => void writeSync(fd, "y"))).toEqual([`write ${file("open-before")}`]);
    expect(await heard(() => once(stream.end("y"), "close"))).toEqual([`write ${file("stream-before")}`]);
    closeSync(fd);
  });

  it("may be read, and calls that change nothing are silent", async () => {
    const path = made("read");
    const all = await heard(async () => {
      readFileSync(path);
      closeSync(openSync(path, "r"));
      await (await promises.open(path)).close();
      await promises.readFile(path, "utf8");
      await once(fs.createReadStream(path).resume(), "close");
      rmSync(file("never-there"), { recursive: true, force: true });
      mkdirSync(dir, { recursive: true });
      writeSync(2, "");
      promises.unlink(file("never-there")).catch(ignore);
    });
    expect(all).toEqual([]);
  });
});

describe("child processes and threads", () => {
  const cases: [string, () => unknown, string][] = [
    ["spawn", () => once(spawn("true"), "close"), "process true"],
    ["execFile", () => promisify(execFile)("true"), "process true"],
    ["exec", () => promisify(exec)("true"), "process /bin/sh"],
    [
      "fork",
      () => once(fork(file("child.mjs"), { execArgv: [], env: {} }), "close"),
      `process ${process.execPath}`,
    ],
    ["spawnSync", () => void spawnSync("true"), "process true"],
    ["execFileSync", () => void execFileSync("true"), "process true"],
    ["execSync", () => void execSync("true"), "process true"],
    ["all of the module", () => void childProcess.spawnSync("true"), "process true"],
    ["a worker", () => once(new Worker("", { eval: true }), "exit"), "thread worker"],
  ];
  it.each(cases)("are reported: %s", async (_what, run, expected) => {
    writeFileSync(file("child.mjs"), "");
    expect(await heard(run)).toEqual([expected]);
  });
});

describe("assertSilent", () => {
  it("returns what a silent function returns, at once or later", async () => {
    expect(await assertSilent(() => 17, QUICK)).toBe(17);
    expect(await assertSilent(async () => "later", QUICK)).toBe("later");
  });

  it("throws what the function throws, together with what happened", async () => {
    const fault = new Error("mine");
    const fail = (): never => {
      throw fault;
    };
    await expect(assertSilent(fail, QUICK)).rejects.toBe(fault);
    const loud = async (): Promise<never> => {
      writeFileSync(file("loud"), "");
      return fail();
    };
    await expect(assertSilent(loud, QUICK)).rejects.toMatchObject({
      cause: fault,
      happenings: [{ kind: "write", target: file("loud") }],
    });
  });

  it("names the line that caused it, and lists each thing once", async () => {
    const run = (): void => {
      for (let n = 0; n < 3; n++) writeFileSync(file("line"), "");
      connect(9, "127.0.0.1").on("error", ignore);
    };
    const error: unknown = await assertSilent(run, QUICK).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "SilenceError", code: "ERR_ASSERTION" });
    const here = expect.stringMatching(/assert-silent\.test\.ts:\d+:\d+$/);
    expect((error as SilenceError).happenings).toEqual([
      { kind: "write", target: file("line"), at: here },
      { kind: "connect", target: "127.0.0.1:9", at: here },
    ]);
    expect((error as SilenceError).message).toMatch(
      /What happened \(2\):\n {2}write .*line\n {4}at .*\n {2}connect 127/,
    );
  });

  it("reports what happens in the background after the function has returned", async () => {
    const run = (): void => void setTimeout(() => writeFileSync(file("background"), ""), 20);
    expect(await heard(run, {})).toEqual([`write ${file("background")}`]);
  });

  it.each<[string, () => unknown, readonly string[], boolean]>([
    ["an address", () => connectTo("127.0.0.1", 9), ["127.0.0.1"], true],
    ["an address and port", () => connectTo("127.0.0.1", 9), ["127.0.0.1:9"], true],
    ["another port", () => connectTo("127.0.0.1", 9), ["127.0.0.1:10"], false],
    ["another address", () => connectTo("127.0.0.1", 9), ["127.0.0.2"], false],
    ["an IPv6 address", () => connectTo("::1", 9), ["::1"], true],
    ["an IPv6 address and port", () => connectTo("::1", 9), ["[::1]:9"], true],
    ["an IPv6 address and another port", () => connectTo("::1", 9), ["[::1]:10"], false],
    ["a name that is looked up", () => lookup(NOBODY, ignore), [NOBODY.toUpperCase()], true],
    ["a name with a port", () => lookup(NOBODY, ignore), [`${NOBODY}:5432`], true],
    ["another name", () => lookup(NOBODY, ignore), ["invalid"], false],
    ["a name, and where it leads", () => connectTo("localhost", 9), ["localhost:9"], true],
    ["a file", () => writeFileSync(file("allowed"), ""), [file("allowed")], true],
    ["a folder", () => writeFileSync(file("allowed"), ""), [dir], true],
    ["a folder of a similar name", () => writeFileSync(file("allowed"), ""), [dir.slice(0, -1)], false],
    ["a unix socket", () => connect(file("a.sock")).on("error", ignore), [dir], true],
    ["a program", () => void spawnSync("true"), ["true"], true],
    ["a thread", () => once(new Worker("", { eval: true }), "exit"), ["worker"], true],
  ])("allows what it is told to: %s", async (_what, run, allow, isAllowed) => {
    const all = await heard(run, { ...QUICK, allow });
    expect(all.length === 0).toBe(isAllowed);
  });

  it("sets the environment during the run, and only then", async () => {
    const seen = async (options: SilenceOptions = {}) =>
      assertSilent(() => [process.env.DO_NOT_TRACK, process.env.ACME_OFF], { settleMs: 0, ...options });
    delete process.env.DO_NOT_TRACK;
    process.env.ACME_OFF = "before";
    expect(await seen()).toEqual(["1", "before"]);
    expect(await seen({ environment: { ACME_OFF: "yes" } })).toEqual([undefined, "yes"]);
    expect([process.env.DO_NOT_TRACK, process.env.ACME_OFF]).toEqual([undefined, "before"]);
    delete process.env.ACME_OFF;
  });

  it("refuses a second call during a run, and works again afterwards", async () => {
    const first = assertSilent(() => sleep(20), QUICK);
    await expect(assertSilent(() => 1, QUICK)).rejects.toThrow(/await the one that is running/);
    await first;
    expect(await assertSilent(() => 2, QUICK)).toBe(2);
  });

  it("restores Node's functions, whatever happened", async () => {
    const before = functionsOf();
    await heard(() => writeFileSync(file("after"), ""));
    await assertSilent(() => Promise.reject(new Error("x")), QUICK).catch(ignore);
    expect(functionsOf()).toEqual(before);
    const after = await assertSilent(() => functionsOf(), QUICK);
    expect(after.writeFileSync).not.toBe(before.writeFileSync);
    expect(after.send).not.toBe(before.send);
    unlinkSync(file("after"));
    expect(existsSync(file("after"))).toBe(false);
  });
});

async function connectTo(host: string, to: number): Promise<void> {
  const socket = connect(to, host).on("error", ignore);
  socket.on("connect", () => socket.destroy());
  await new Promise((resolve) => socket.on("close", resolve));
}

function functionsOf(): Readonly<Record<string, unknown>> {
  return {
    writeFileSync,
    fromModule: fs.writeFileSync,
    promised: promises.writeFile,
    spawnSync,
    spawn: childProcess.ChildProcess.prototype,
    method: Reflect.get(childProcess.ChildProcess.prototype, "spawn"),
    send: dgram.Socket.prototype.send,
  };
}

describe("our own telemetry", () => {
  let number = 0;

  async function use(environment: Record<string, string>, receipts = ""): Promise<readonly string[]> {
    number += 1;
    const stateDir = file(`telemetry-${number}`);
    mkdirSync(stateDir);
    if (receipts !== "") writeFileSync(join(stateDir, "receipts.ndjson"), receipts);
    const options = { source: "server", writeKey: "k", host: `http://127.0.0.1:${port}`, stateDir } as const;
    return heard(
      async () => {
        const telemetry: Telemetry = createTelemetry({ plan: APPSMITH, ...options });
        telemetry.keepAlive({ healthy: () => true });
        telemetry.gateway({ writeKey: "c" });
        telemetry.track("execute_ACTION_TRIGGERED", { pluginName: "PostgreSQL" });
        await telemetry.flush({ timeoutMs: 1000 });
        await telemetry.close({ timeoutMs: 1000 });
      },
      { environment, settleMs: 50 },
    );
  }

  it.each([
    ["the product's own variable", { APPSMITH_DISABLE_TELEMETRY: "true" }, ""],
    ["the product's own variable, after a Yes", { APPSMITH_DISABLE_TELEMETRY: "1" }, receipt("yes")],
    ["the product's mode", { APPSMITH_TELEMETRY: "off" }, receipt("yes")],
    ["DO_NOT_TRACK", { DO_NOT_TRACK: "1" }, receipt("yes")],
    ["a stored No", {}, receipt("no")],
    ["a stored No and an offered switch", { APPSMITH_DISABLE_TELEMETRY: "false" }, receipt("no")],
    ["no answer at all", {}, ""],
    ["answers that cannot be read", {}, "yes\n"],
  ])("is silent if it is turned off by %s", async (_what, environment, receipts) => {
    expect(await use(environment, receipts)).toEqual([]);
  });

  it.each([
    ["after a Yes", {}, receipt("yes")],
    ["after the switch was offered", { APPSMITH_DISABLE_TELEMETRY: "false" }, ""],
  ])("is reported %s", async (_what, environment, receipts) => {
    const all = await use(environment, receipts);
    expect(all).toContain(`connect 127.0.0.1:${port}`);
    expect(all).toContain(`write ${file(`telemetry-${number}`)}/outbox`);
  });
});
