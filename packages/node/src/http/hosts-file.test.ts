import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hostsFileOf, readHostsFile } from "./hosts-file.ts";

const root = mkdtempSync(join(tmpdir(), "candor-hosts-"));
afterAll(() => rmSync(root, { recursive: true }));
const path = join(root, "hosts");

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
    writeFileSync(path, text);
    const found = await readHostsFile(path, "collector.test");
    expect(found).toEqual(addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
  });

  it("finds an entry anywhere in a block list of megabytes, wherever the pieces that are read begin and end", async () => {
    const line = (n: number): string => `0.0.0.0 ads${n}.example.test\n`;
    const filler = Array.from({ length: 60_000 }, (_, n) => line(n)).join("");
    const at = [65_500, 65_520, 65_530, 65_536, 700_000, filler.length].map(
      (end) => filler.lastIndexOf("\n", end) + 1,
    );
    for (const start of at) {
      writeFileSync(path, `${filler.slice(0, start)}127.0.0.7 collector.test\n${filler.slice(start)}`);
      expect(await readHostsFile(path, "collector.test")).toEqual([{ address: "127.0.0.7", family: 4 }]);
    }
  });

  it("that is not there, or is a folder, has no entries", async () => {
    expect(await readHostsFile(join(root, "none"), "collector.test")).toEqual([]);
    expect(await readHostsFile(root, "collector.test")).toEqual([]);
  });

  it("of this system is where it belongs", () => {
    expect(hostsFileOf({})).toBe(
      process.platform === "win32" ? "C:\\Windows\\System32\\drivers\\etc\\hosts" : "/etc/hosts",
    );
  });
});
