import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { FaultError } from "./faults.ts";
import { type Address, createNames, hostsFileOf, type Names, readHostsFile } from "./names.ts";
import { type NameReply, type NameServer, startNameServer } from "./rig/name-server.ts";

const root = mkdtempSync(join(tmpdir(), "candor-names-"));
afterAll(() => rmSync(root, { recursive: true }));
const hostsFile = join(root, "hosts");
const servers: NameServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(hostsFile, { force: true });
});

const MINUTE_MS = 60_000;
const four = (address: string): Address => ({ address, family: 4 });
const six = (address: string): Address => ({ address, family: 6 });
const never = new AbortController().signal;

interface World {
  readonly names: Names;
  readonly server: NameServer;
  /** The names that getaddrinfo was asked for. */
  readonly systemLookups: string[];
  replies: Partial<Record<"A" | "AAAA", NameReply>>;
  system: readonly Address[] | "ENOTFOUND" | "EAI_AGAIN";
  clockMs: number;
}

async function world(replies: World["replies"]): Promise<World> {
  const server = await startNameServer((_name, type) => made.replies[type] ?? []);
  servers.push(server);
  const systemLookups: string[] = [];
  const names = createNames({
    hostsFile,
    nowMs: () => made.clockMs,
    service: {
      createResolver: server.createResolver,
      lookupBySystem: async (name) => {
        systemLookups.push(name);
        if (typeof made.system === "string") throw Object.assign(new Error("no"), { code: made.system });
        return made.system;
      },
    },
  });
  const made: World = { names, server, systemLookups, replies, system: "ENOTFOUND", clockMs: 0 };
  return made;
}

const isDnsFault = expect.objectContaining({ fault: "dns" });

describe("a name", () => {
  it("that is an address or localhost is not looked up", async () => {
    const { names, server, systemLookups } = await world({});
    expect(await names.resolve("127.0.0.9", never)).toEqual([four("127.0.0.9")]);
    expect(await names.resolve("::1", never)).toEqual([six("::1")]);
    for (const name of ["localhost", "localhost.", "app.localhost"])
      expect(await names.resolve(name, never)).toEqual([four("127.0.0.1"), six("::1")]);
    expect([server.queries, systemLookups]).toEqual([[], []]);
  });

  it("that merely ends in the letters of localhost is looked up", async () => {
    const { names, server } = await world({ A: ["127.0.0.9"] });
    expect(await names.resolve("notlocalhost", never)).toEqual([four("127.0.0.9")]);
    expect(server.queries).toHaveLength(2);
  });

  it("in the hosts file is not looked up, and a changed file takes effect at once", async () => {
    const { names, server, systemLookups } = await world({ A: ["127.0.0.9"] });
    writeFileSync(hostsFile, "127.0.0.7 collector.test\n");
    expect(await names.resolve("collector.test", never)).toEqual([four("127.0.0.7")]);
    expect(await names.resolve("collector.test.", never)).toEqual([four("127.0.0.7")]);
    expect([server.queries, systemLookups]).toEqual([[], []]);
    writeFileSync(hostsFile, "");
    expect(await names.resolve("collector.test", never)).toEqual([four("127.0.0.9")]);
    writeFileSync(hostsFile, "0.0.0.0 collector.test\n");
    await expect(names.resolve("collector.test", never)).rejects.toEqual(isDnsFault);
  });

  it("is looked up in both families, IPv4 first", async () => {
    const { names, server, systemLookups } = await world({ A: ["127.0.0.9", "127.0.0.8"], AAAA: ["::1"] });
    const found = await names.resolve("collector.test", never);
    expect(found.map(({ family }) => family)).toEqual([4, 4, 6]);
    expect(new Set(found.map(({ address }) => address))).toEqual(new Set(["127.0.0.9", "127.0.0.8", "::1"]));
    expect([[...server.queries].sort(), systemLookups]).toEqual([
      ["A collector.test", "AAAA collector.test"],
      [],
    ]);
  });

  it.each<[World["replies"], Address]>([
    [{ A: ["127.0.0.9"], AAAA: "silent" }, four("127.0.0.9")],
    [{ A: "silent", AAAA: ["::1"] }, six("::1")],
    [{ A: ["127.0.0.9"], AAAA: "servfail" }, four("127.0.0.9")],
  ])("is found if one family is answered: %j", async (replies, address) => {
    const { names, server } = await world(replies);
    expect(await names.resolve("collector.test", never)).toEqual([address]);
    expect(
      server.queries.filter((query) => query.startsWith(address.family === 4 ? "A " : "AAAA ")),
    ).toHaveLength(1);
  });

  it.each<[World["replies"]]>([[{ A: ["0.0.0.0"], AAAA: ["::"] }], [{ A: ["0.0.0.0"] }]])(
    "that DNS maps to this machine is blocked: %j",
    async (replies) => {
      const { names, systemLookups } = await world(replies);
      await expect(names.resolve("collector.test", never)).rejects.toEqual(isDnsFault);
      expect(systemLookups).toEqual([]);
    },
  );

  it.each<[World["replies"]]>([
    [{ A: "nxdomain", AAAA: "nxdomain" }],
    [{}],
    [{ A: "servfail", AAAA: "servfail" }],
  ])("that the name server quickly reports as unknown is left to the system: %j", async (replies) => {
    const there = await world(replies);
    there.system = [four("127.0.0.5")];
    expect(await there.names.resolve("collector", never)).toEqual([four("127.0.0.5")]);
    expect(await there.names.resolve("collector", never)).toEqual([four("127.0.0.5")]);
    expect(there.systemLookups).toEqual(["collector"]);
  });

  it("that is unknown everywhere is a fault, and is looked up again the next time", async () => {
    const { names, server, systemLookups } = await world({ A: "nxdomain", AAAA: "nxdomain" });
    await expect(names.resolve("collector.test", never)).rejects.toEqual(isDnsFault);
    await expect(names.resolve("collector.test", never)).rejects.toEqual(isDnsFault);
    expect([systemLookups.length, server.queries.length]).toEqual([2, 4]);
  });

  it("with a trailing dot has no search domains", async () => {
    const { names, systemLookups } = await world({ A: "nxdomain", AAAA: "nxdomain" });
    await expect(names.resolve("collector.test.", never)).rejects.toEqual(isDnsFault);
    expect(systemLookups).toEqual([]);
  });

  it("for which no server answers is not left to the system, which would hang", async () => {
    const { names, server, systemLookups } = await world({ A: "silent", AAAA: "silent" });
    await expect(names.resolve("collector.test", never)).rejects.toEqual(isDnsFault);
    expect([systemLookups, server.queries.length]).toEqual([[], 4]);
  });

  it("is given up at once when the post is cancelled", async () => {
    const { names, server } = await world({ A: "silent", AAAA: "silent" });
    const ending = new AbortController();
    const asked = names.resolve("collector.test", ending.signal);
    while (server.queries.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    ending.abort(new FaultError("cancelled"));
    await expect(asked).rejects.toEqual(expect.objectContaining({ fault: "cancelled" }));
    expect(server.queries).toHaveLength(2);
  });
});

describe("a cached answer", () => {
  it("is valid for five minutes", async () => {
    const there = await world({ A: ["127.0.0.9"] });
    await there.names.resolve("collector.test", never);
    there.replies = { A: ["127.0.0.8"] };
    there.clockMs = 5 * MINUTE_MS - 1;
    expect(await there.names.resolve("collector.test", never)).toEqual([four("127.0.0.9")]);
    there.clockMs = 5 * MINUTE_MS;
    expect(await there.names.resolve("collector.test", never)).toEqual([four("127.0.0.8")]);
  });

  it("is dropped if it could not be reached", async () => {
    const there = await world({ A: ["127.0.0.9"] });
    await there.names.resolve("collector.test", never);
    there.replies = { A: ["127.0.0.8"] };
    there.names.forget("collector.test");
    expect(await there.names.resolve("collector.test", never)).toEqual([four("127.0.0.8")]);
  });

  it.each<[why: string, replies: World["replies"], system: "ENOTFOUND" | "EAI_AGAIN"]>([
    ["is silent", { A: "silent", AAAA: "silent" }, "ENOTFOUND"],
    ["has a fault, as the system does", { A: "servfail", AAAA: "servfail" }, "EAI_AGAIN"],
  ])("is used for a day while DNS %s", async (_why, replies, system) => {
    const there = await world({ A: ["127.0.0.9"] });
    await there.names.resolve("collector.test", never);
    there.replies = replies;
    there.system = system;
    there.clockMs = 24 * 60 * MINUTE_MS - 1;
    expect(await there.names.resolve("collector.test", never)).toEqual([four("127.0.0.9")]);
    there.clockMs = 24 * 60 * MINUTE_MS;
    await expect(there.names.resolve("collector.test", never)).rejects.toEqual(isDnsFault);
  });

  it("is not used for a name that was removed or blocked", async () => {
    for (const replies of [{ A: "nxdomain", AAAA: "nxdomain" }, { A: ["0.0.0.0"] }] as const) {
      const there = await world({ A: ["127.0.0.9"] });
      await there.names.resolve("collector.test", never);
      there.replies = replies;
      there.clockMs = 10 * MINUTE_MS;
      await expect(there.names.resolve("collector.test", never)).rejects.toEqual(isDnsFault);
      there.replies = { A: "silent", AAAA: "silent" };
      await expect(there.names.resolve("collector.test", never)).rejects.toEqual(isDnsFault);
    }
  });

  it("is one of a limited number, so that memory does not grow", async () => {
    const { names, server } = await world({ A: ["127.0.0.9"] });
    for (let n = 0; n < 20; n++) await names.resolve(`n${n}.test`, never);
    const before = server.queries.length;
    await names.resolve("n19.test", never);
    expect(server.queries.length).toBe(before);
    await names.resolve("n0.test", never);
    expect(server.queries.length).toBe(before + 2);
  });
});

describe("a hosts file", () => {
  it.each<[why: string, text: string, addresses: string[]]>([
    ["one entry", "127.0.0.7 collector.test\n", ["127.0.0.7"]],
    ["an alias, tabs, no line break at the end", "127.0.0.7\tother.test \tcollector.test", ["127.0.0.7"]],
    ["any case, a dot at the end, CRLF", "127.0.0.7 COLLECTOR.Test.\r\n", ["127.0.0.7"]],
    ["a comment after it", "127.0.0.7 collector.test # ours\n", ["127.0.0.7"]],
    ["only in a comment", "127.0.0.7 other.test # collector.test\n#127.0.0.8 collector.test\n", []],
    ["a longer name", "127.0.0.7 my.collector.test collector.test.example\n", []],
    ["not an address", "collector.test 127.0.0.7\nx collector.test\n127.0.0 collector.test\n", []],
    [
      "both families",
      "::1 collector.test\n127.0.0.7 collector.test\n127.0.0.8 collector.test\n",
      ["127.0.0.7", "127.0.0.8", "::1"],
    ],
    ["an empty file", "", []],
  ])("%s", async (_why, text, addresses) => {
    writeFileSync(hostsFile, text);
    const found = await readHostsFile(hostsFile, "collector.test");
    expect(found).toEqual(addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
  });

  it("of megabytes gives every entry, wherever the chunks that are read begin and end", async () => {
    const line = (n: number): string => `0.0.0.0 ads${n}.example.test\n`;
    const filler = Array.from({ length: 60_000 }, (_, n) => line(n)).join("");
    const at = [65_500, 65_520, 65_530, 65_536, 700_000, filler.length].map(
      (end) => filler.lastIndexOf("\n", end) + 1,
    );
    for (const start of at) {
      writeFileSync(hostsFile, `${filler.slice(0, start)}127.0.0.7 collector.test\n${filler.slice(start)}`);
      expect(await readHostsFile(hostsFile, "collector.test")).toEqual([{ address: "127.0.0.7", family: 4 }]);
    }
  });

  it("that does not exist, or is a folder, has no entries", async () => {
    expect(await readHostsFile(join(root, "none"), "collector.test")).toEqual([]);
    expect(await readHostsFile(root, "collector.test")).toEqual([]);
  });

  it("of this system is at the usual path", () => {
    expect(hostsFileOf({})).toBe(
      process.platform === "win32" ? "C:\\Windows\\System32\\drivers\\etc\\hosts" : "/etc/hosts",
    );
  });
});
