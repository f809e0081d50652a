import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { readConfig } from "./config.ts";
import { openDataFolder, tryFlock } from "./data-folder.ts";
import { createMatcher, openKeys } from "./keys.ts";

describe("readConfig", () => {
  it("takes the documented defaults from an empty environment", () => {
    const { trustedProxies, ...rest } = readConfig({ PATH: "/bin", CANDOR_PORT: "" });
    expect(rest).toEqual({
      host: "127.0.0.1",
      port: 7226,
      dataDir: resolve(".candor"),
      planPaths: [resolve("plans/appsmith.yaml")],
      writeKeys: [],
      adminToken: undefined,
      clickhouseUrls: undefined,
      clickhouseCluster: undefined,
      origins: undefined,
      publicStats: undefined,
      url: "http://127.0.0.1:7226",
    });
    expect(trustedProxies.check("127.0.0.1")).toBe(false);
  });

  it("reads every setting", () => {
    const config = readConfig({
      CANDOR_HOST: "::1",
      CANDOR_PORT: "0",
      CANDOR_DATA_DIR: "/data",
      CANDOR_PLAN: "plan.yaml, plans",
      CANDOR_WRITE_KEYS: "installer:i1, server:s1,kitchen-2/client:c1",
      CANDOR_ADMIN_TOKEN: "t",
      CANDOR_CLICKHOUSE_URL: "http://a:8123/,http://b:8123",
      CANDOR_CLICKHOUSE_CLUSTER: "candor",
      CANDOR_TRUSTED_PROXIES: "10.0.0.0/8, ::1",
      CANDOR_PUBLIC_STATS: "20",
      CANDOR_ORIGINS: "https://Telemetry.example.org, http://10.0.0.7:7226/",
    });
    expect(config).toMatchObject({
      url: "http://[::1]:0",
      dataDir: "/data",
      planPaths: [resolve("plan.yaml"), resolve("plans")],
      writeKeys: [
        { product: undefined, source: "installer", key: "i1" },
        { product: undefined, source: "server", key: "s1" },
        { product: "kitchen-2", source: "client", key: "c1" },
      ],
      adminToken: "t",
      publicStats: 20,
      clickhouseUrls: ["http://a:8123", "http://b:8123"],
      clickhouseCluster: "candor",
      origins: ["https://telemetry.example.org", "http://10.0.0.7:7226"],
    });
    expect(config.trustedProxies.check("10.9.9.9")).toBe(true);
    expect(config.trustedProxies.check("::1", "ipv6")).toBe(true);
  });

  it("lists every fault at once with what to write instead, and never repeats a value", () => {
    const environment = {
      CANDOR_PROT: "1",
      CANDOR_PORT: "70000-secret",
      CANDOR_HOST: "not a host secret",
      CANDOR_WRITE_KEYS: "server:secret,client:secret,door:x,nonsense secret",
      CANDOR_ADMIN_TOKEN: "two words secret",
      CANDOR_CLICKHOUSE_URL: "secret,http://b",
      CANDOR_TRUSTED_PROXIES: "secret/8",
      CANDOR_ORIGINS: "secret,https://a/secret",
      CANDOR_PUBLIC_STATS: "secret",
      CANDOR_URL: "secret",
    };
    let message = "";
    try {
      readConfig(environment);
    } catch (error) {
      if (error instanceof Error) message = error.message;
    }
    expect(message).not.toContain("secret");
    for (const name of Object.keys(environment)) expect(message).toContain(name);
    expect(message.split("\n  - ")).toHaveLength(15);
    expect(message).toContain("0 (any free port) to 65535");
  });
});

describe("openKeys", () => {
  it("creates keys once, in a file that only their owner can read; keys from the settings take precedence", () => {
    const dir = mkdtempSync(join(tmpdir(), "candor-keys-"));
    const first = openKeys(readConfig({ CANDOR_DATA_DIR: dir }), ["kitchen"]);
    const chosen = readConfig({ CANDOR_DATA_DIR: dir, CANDOR_WRITE_KEYS: "server:chosen" });
    const second = openKeys(chosen, ["kitchen"]);
    expect(second).toEqual({ ...first, writeKeys: { ...first.writeKeys, server: "chosen" } });
    expect(new Set(Object.values(first.writeKeys)).size).toBe(3);
    expect(statSync(join(dir, "keys.json")).mode & 0o777).toBe(0o600);
    writeFileSync(join(dir, "keys.json"), "{}");
    expect(() => openKeys(readConfig({ CANDOR_DATA_DIR: dir }), ["kitchen"])).toThrow(
      "keys are missing in it",
    );
    rmSync(dir, { recursive: true });
  });
});

describe("createMatcher", () => {
  it("returns the owner of the secret that equals a text, and undefined for any other text", () => {
    const match = createMatcher([
      ["installer", "aaa"],
      ["server", "bbb"],
    ]);
    expect(["aaa", "bbb", "aab", "", "aaaa"].map(match)).toEqual([
      "installer",
      "server",
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("openDataFolder", () => {
  it("lets one process at a time hold the folder, which only its owner can read", () => {
    const dir = join(mkdtempSync(join(tmpdir(), "candor-folder-")), "data");
    const held = openDataFolder(dir);
    expect(() => openDataFolder(dir)).toThrow("Another Candor is running on");
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    held.release();
    openDataFolder(dir).release();
    rmSync(dir, { recursive: true });
  });

  it("can lock with the program flock, on systems that the library does not support", {
    tags: ["flock"],
  }, () => {
    const file = join(mkdtempSync(join(tmpdir(), "candor-flock-")), "lock");
    const [first, second] = [openSync(file, "a+"), openSync(file, "a+")];
    expect([tryFlock(first, file), tryFlock(second, file)]).toEqual([true, false]);
    closeSync(first);
    expect(tryFlock(second, file)).toBe(true);
    closeSync(second);
  });

  it("says what to do if the folder cannot be written", () => {
    const dir = mkdtempSync(join(tmpdir(), "candor-folder-"));
    writeFileSync(join(dir, "file"), "");
    expect(() => openDataFolder(join(dir, "file", "data"))).toThrow(
      /cannot be written \(ENOTDIR\).*CANDOR_DATA_DIR/,
    );
    rmSync(dir, { recursive: true });
  });
});
